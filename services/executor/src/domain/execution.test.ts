import { linkpb, Outcome } from "@codemesh/api";
import { expect, test } from "vitest";
import { begin, type End, type Execution, end, queued, type StopReason, stop } from "./execution.js";

const { Ending } = linkpb;
const running = begin(queued, 3);
const seen = (ending: linkpb.Ending | undefined, more: Partial<End> = {}): End => ({
  ending,
  oomKills: 3,
  stateFound: true,
  ...more,
});
const outcomeOf = (execution: Execution) => (execution.state === "finished" ? execution.outcome : "not finished");

test.each([
  [Ending.COMPLETED, Outcome.SUCCEEDED, true],
  [Ending.RAISED, Outcome.FAILED, true],
  [Ending.INTERPRETER_DIED, Outcome.FAILED, false],
  [undefined, Outcome.LOST, false],
])("the agent's ending %s is outcome %s, state preserved %s", (ending, outcome, statePreserved) => {
  expect(end(running, seen(ending))).toEqual({ state: "finished", outcome, statePreserved });
});

test("is out of memory only when the interpreter died and the kernel killed something meanwhile", () => {
  expect(outcomeOf(end(running, seen(Ending.INTERPRETER_DIED, { oomKills: 4 })))).toBe(Outcome.OUT_OF_MEMORY);
  expect(outcomeOf(end(running, seen(Ending.RAISED, { oomKills: 4 })))).toBe(Outcome.FAILED);
});

test.each<[StopReason, Outcome]>([
  ["cancelled", Outcome.CANCELLED],
  ["timed-out", Outcome.TIMED_OUT],
  ["session-ended", Outcome.LOST],
])("stopped because %s it has that outcome, however it then ended", (reason, outcome) => {
  for (const ending of [Ending.COMPLETED, Ending.RAISED, Ending.INTERPRETER_DIED, undefined]) {
    expect(outcomeOf(end(stop(running, reason), seen(ending, { oomKills: 9 })))).toBe(outcome);
  }
});

test("keeps the first reason it was stopped for", () => {
  expect(outcomeOf(end(stop(stop(running, "timed-out"), "cancelled"), seen(Ending.RAISED)))).toBe(Outcome.TIMED_OUT);
});

test("says that state was lost when the interpreter died between two executions", () => {
  expect(end(running, seen(Ending.COMPLETED, { stateFound: false }))).toMatchObject({ statePreserved: false });
});

test("has no outcome when it never had its turn", () => {
  expect(outcomeOf(end(stop(queued, "session-ended"), seen(undefined)))).toBeUndefined();
});

test("does not change once it has finished", () => {
  const finished = end(running, seen(Ending.COMPLETED));
  expect(end(stop(begin(finished, 9), "cancelled"), seen(undefined))).toBe(finished);
});
