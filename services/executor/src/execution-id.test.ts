import { isId } from "@codemesh/api";
import { expect, test } from "vitest";
import { newExecutionId } from "./execution-id.js";

test("gives ids that are ULIDs and differ", () => {
  const ids = Array.from({ length: 1_000 }, newExecutionId);
  expect(ids.every(isId)).toBe(true);
  expect(new Set(ids).size).toBe(1_000);
});
