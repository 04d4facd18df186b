import { MAX_INLINE_FILE_BYTES } from "@codemesh/api";
import { expect, test } from "vitest";
import { bytesToAsk, requireInlineSize } from "./download.js";

const MAX = BigInt(MAX_INLINE_FILE_BYTES);

test("sends exactly 100 MiB and refuses to send a byte more", () => {
  expect(() => requireInlineSize(MAX, 0n, 0n)).not.toThrow();
  expect(() => requireInlineSize(MAX + 1n, 0n, 0n)).toThrow("read it in parts");
  expect(() => requireInlineSize(MAX + 1n, 1n, 0n)).not.toThrow();
  expect(() => requireInlineSize(MAX + 1n, 0n, MAX)).not.toThrow();
  expect(() => requireInlineSize(MAX + 1n, 0n, MAX + 1n)).toThrow("read it in parts");
  expect(() => requireInlineSize(5n, 0n, MAX * 2n)).not.toThrow();
});

test("never asks the sandbox for more than 100 MiB", () => {
  expect([bytesToAsk(0n), bytesToAsk(1n), bytesToAsk(MAX + 1n)]).toEqual([MAX, 1n, MAX]);
});
