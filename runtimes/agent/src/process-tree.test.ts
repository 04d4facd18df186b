import { expect, test } from "vitest";
import { entryFrom, treeOf } from "./process-tree.js";

function entry(pid: number, parent: number, group: number, session: number, state = "S") {
  return { pid, parent, group, session, state };
}

test("finds children, what is in the session or group, and descendants that left both", () => {
  const entries = [
    entry(1, 0, 1, 1),
    entry(10, 1, 10, 10),
    entry(11, 10, 10, 10),
    entry(12, 1, 12, 10),
    entry(13, 11, 13, 13),
    entry(14, 13, 13, 13),
    entry(20, 1, 20, 20),
  ];
  expect(treeOf(10, entries)).toEqual([10, 11, 12, 13, 14]);
});

test("leaves out what has ended", () => {
  expect(treeOf(10, [entry(10, 1, 10, 10, "Z"), entry(11, 10, 10, 10)])).toEqual([11]);
});

test("reads the state of a process whose name has spaces and parentheses", () => {
  expect(entryFrom(7, "7 (a) b (c) R 3 4 5 0 -1")).toEqual(entry(7, 3, 4, 5, "R"));
});
