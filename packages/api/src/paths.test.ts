import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_PATH_BYTES, MAX_PATH_COMPONENT_BYTES, pathViolation } from "./paths.js";

test.each(["a", "a/b.csv", ".hidden", "a b/é😀", "a".repeat(MAX_PATH_COMPONENT_BYTES)])("%j is a path", (path) => {
  expect(pathViolation("path", path)).toBeUndefined();
});

test.each([
  ["", "empty"],
  ["/etc/passwd", "absolute"],
  ["../x", '".."'],
  ["a/../b", '".."'],
  ["a/./b", '"."'],
  ["a//b", '""'],
  ["a/", '""'],
  ["a\0b", "NUL"],
  ["a".repeat(MAX_PATH_COMPONENT_BYTES + 1), "255 bytes"],
  ["é".repeat(128), "255 bytes"],
])("%j is refused", (path, why) => {
  expect(pathViolation("path", path)).toMatchObject({ field: "path", reason: "PATH_INVALID" });
  expect(pathViolation("path", path)?.description).toContain(why);
});

test("a path at the limit is taken, one byte more is refused", () => {
  const longest = `${"a".repeat(255)}/`.repeat(16).slice(0, MAX_PATH_BYTES - 1);
  expect(longest).toHaveLength(MAX_PATH_BYTES - 1);
  expect(pathViolation("path", longest)).toBeUndefined();
  expect(pathViolation("path", `${longest}/a`)).toBeDefined();
});

test("an accepted path stays below where it starts", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", ".", "/", "b") }), (path) => {
      if (pathViolation("path", path) === undefined) {
        expect(new URL(path, "file:///workspace/").pathname.startsWith("/workspace/")).toBe(true);
      }
    }),
  );
});
