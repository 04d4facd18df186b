import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onDeadline } from "./deadline.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;

test("acts when its time has come, however far away", () => {
  const action = vi.fn();
  onDeadline(60 * DAY_MS, action);
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(action).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(action).toHaveBeenCalledOnce();
});

test("acts at once when its time has passed", () => {
  const action = vi.fn();
  onDeadline(-5, action);
  vi.advanceTimersByTime(1);
  expect(action).toHaveBeenCalledOnce();
});

test("does not act when it is taken back", () => {
  const action = vi.fn();
  onDeadline(1_000, action)();
  vi.advanceTimersByTime(DAY_MS);
  expect(action).not.toHaveBeenCalled();
});
