import fc from "fast-check";
import { expect, test } from "vitest";
import { entriesOnPage, nameFromPageToken, pageTokenAfter } from "./page.js";

test("a token leads back to the name it was made of", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), (text) => {
      const name = text.replaceAll("/", "_");
      expect(nameFromPageToken(pageTokenAfter(`some/where/${name}`))).toBe(name);
    }),
  );
});

test("knows what is no token", () => {
  expect(nameFromPageToken("")).toBe("");
  expect(nameFromPageToken("%%%")).toBeUndefined();
  expect(nameFromPageToken("YQ==")).toBeUndefined();
  expect(nameFromPageToken("_w")).toBeUndefined();
  expect(nameFromPageToken(pageTokenAfter("x".repeat(256)))).toBeUndefined();
});

test("keeps a page within one message", () => {
  expect(entriesOnPage(0, "")).toBe(1_000);
  expect(entriesOnPage(50_000, "")).toBe(10_000);
  expect(entriesOnPage(7, "a".repeat(4_000))).toBe(7);
  expect(entriesOnPage(10_000, "a".repeat(4_000)) * 4_400).toBeLessThan(8 << 20);
});
