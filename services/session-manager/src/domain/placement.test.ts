import fc from "fast-check";
import { expect, test } from "vitest";
import { type Candidate, place } from "./placement.js";

const NOW_MS = 100_000;

function candidate(id: string, rest: Partial<Candidate> = {}): Candidate {
  return { id, heardTimeMs: NOW_MS, draining: false, capacity: 10, held: 0, warm: 0, ...rest };
}

const placed = (...candidates: Candidate[]) => place(candidates, new Set(), NOW_MS)?.id;

test("takes the executor with most room", () => {
  expect(placed(candidate("a", { held: 5 }), candidate("b", { held: 4 }))).toBe("b");
});

test("prefers a warm sandbox to room", () => {
  expect(placed(candidate("a"), candidate("b", { held: 9, warm: 1 }))).toBe("b");
});

test("passes over the full, the draining, the silent and the tried", () => {
  const candidates = [
    candidate("full", { held: 10 }),
    candidate("draining", { draining: true }),
    candidate("silent", { heardTimeMs: NOW_MS - 10_001 }),
    candidate("tried"),
  ];
  expect(place(candidates, new Set(["tried"]), NOW_MS)).toBeUndefined();
});

test("takes an executor that was heard exactly 10 s ago", () => {
  expect(placed(candidate("a", { heardTimeMs: NOW_MS - 10_000 }))).toBe("a");
});

test("decides alike in whatever order the executors come", () => {
  const any = fc.record({
    held: fc.nat(12),
    capacity: fc.nat(12),
    warm: fc.nat(2),
    draining: fc.boolean(),
    heardTimeMs: fc.integer({ min: NOW_MS - 12_000, max: NOW_MS }),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), (parts) => {
      const candidates = parts.map((part, index) => candidate(`e${index}`, part));
      const chosen = placed(...candidates);
      expect(placed(...candidates.toReversed())).toBe(chosen);
      expect(chosen === undefined).toBe(
        candidates.every((one) => one.draining || one.held >= one.capacity || NOW_MS - one.heardTimeMs > 10_000),
      );
    }),
  );
});
