import fc from "fast-check";
import { expect, test } from "vitest";
import { enter, leave, MAX_WAITING, noTurns, type Turns } from "./turn.js";

const filled = Array.from({ length: MAX_WAITING + 1 }, (_, index) => index).reduce(
  (turns, one) => enter(turns, one).turns,
  noTurns<number>(),
);

test("runs the first and lets 16 wait", () => {
  expect(filled.running).toBe(0);
  expect(filled.waiting).toHaveLength(16);
});

test("does not admit a 17th", () => {
  expect(enter(filled, 99)).toEqual({ admitted: false, turns: filled });
});

test("gives the turn to the one that has waited longest", () => {
  expect(leave(filled, 0).running).toBe(1);
});

test("lets one that waits leave without disturbing the one that runs", () => {
  const turns = leave(filled, 5);
  expect(turns.running).toBe(0);
  expect(turns.waiting).not.toContain(5);
});

test("never has one waiting while none runs, and never more than 16 (T1, T2, T3)", () => {
  const step = fc.record({ enters: fc.boolean(), one: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let turns: Turns<number> = noTurns();
      for (const { enters, one } of steps) {
        const inside = turns.running === one || turns.waiting.includes(one);
        turns = enters && !inside ? enter(turns, one).turns : leave(turns, one);
        expect(turns.running === undefined && turns.waiting.length > 0).toBe(false);
        expect(turns.waiting.length).toBeLessThanOrEqual(MAX_WAITING);
      }
    }),
  );
});
