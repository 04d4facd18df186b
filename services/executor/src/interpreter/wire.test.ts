import fc from "fast-check";
import { expect, test } from "vitest";
import { clipped, durationFromUs } from "./wire.js";

test("clips at the end of a character", () => {
  expect(clipped("a€b", 3)).toBe("a");
  expect(clipped("a€b", 4)).toBe("a€");
  expect(clipped("a€b", 5)).toBe("a€b");
});

test("never exceeds the limit and is always a beginning of the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, maxBytes) => {
      const result = clipped(text, maxBytes);
      expect(Buffer.byteLength(result)).toBeLessThanOrEqual(maxBytes);
      expect(text.startsWith(result)).toBe(true);
    }),
  );
});

test("splits microseconds into seconds and nanoseconds", () => {
  expect(durationFromUs(61_000_001)).toEqual({ seconds: 61n, nanos: 1000 });
});
