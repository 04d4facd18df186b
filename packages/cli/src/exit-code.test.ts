import { create } from "@bufbuild/protobuf";
import { ProgramErrorSchema } from "@codemesh/api";
import { Outcome } from "@codemesh/sdk";
import { expect, test } from "vitest";
import { errorText, exitCodeOf } from "./exit-code.js";

const raised = (name: string, message = "") => create(ProgramErrorSchema, { name, message });

test.each([
  [Outcome.SUCCEEDED, undefined, 0],
  [Outcome.FAILED, raised("ValueError", "7"), 1],
  [Outcome.FAILED, undefined, 1],
  [Outcome.FAILED, raised("SystemExit"), 1],
  [Outcome.FAILED, raised("SystemExit", "3"), 3],
  [Outcome.FAILED, raised("SystemExit", "-1"), 255],
  [Outcome.FAILED, raised("SystemExit", "256"), 0],
  [Outcome.FAILED, raised("SystemExit", "no such input"), 1],
  [Outcome.CANCELLED, raised("KeyboardInterrupt"), 130],
  [Outcome.TIMED_OUT, undefined, 124],
  [Outcome.OUT_OF_MEMORY, undefined, 137],
  [Outcome.LOST, undefined, 1],
])("outcome %i with %o exits with %i", (outcome, error, code) => {
  expect(exitCodeOf(outcome, error)).toBe(code);
});

test("of SystemExit only the text it was given is printed, of all others the traceback", () => {
  expect(errorText(raised("SystemExit", "no such input"))).toBe("no such input");
  expect(errorText(raised("SystemExit", "2"))).toBe("");
  const error = create(ProgramErrorSchema, { name: "ValueError", message: "x", traceback: "Traceback …" });
  expect(errorText(error)).toBe("Traceback …");
  expect(errorText(undefined)).toBe("");
});
