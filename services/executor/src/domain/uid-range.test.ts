import { expect, test } from "vitest";
import { nextUid } from "./uid-range.js";

const range = { base: 200_000, count: 3 };

test("goes round the range before it uses an id again", () => {
  expect(nextUid(range, 200_002, new Set())).toBe(200_002);
  expect(nextUid(range, 200_003, new Set())).toBe(200_000);
});

test("passes over ids that are taken", () => {
  expect(nextUid(range, 200_001, new Set([200_001, 200_002]))).toBe(200_000);
});

test("has none when all are taken", () => {
  expect(nextUid(range, 200_000, new Set([200_000, 200_001, 200_002]))).toBeUndefined();
});
