import { expect, test } from "vitest";
import { FIRST_WAIT_MS, nextWaitMs, waitWithJitterMs } from "./redial.js";

test("waits double from 50 ms to a second", () => {
  const waits = [FIRST_WAIT_MS];
  while (waits.length < 7) {
    waits.push(nextWaitMs(waits.at(-1) as number));
  }
  expect(waits).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
});

test("a wait is spread over half to one and a half of itself", () => {
  expect([0, 0.5, 1].map((chance) => waitWithJitterMs(100, chance))).toEqual([50, 100, 150]);
});
