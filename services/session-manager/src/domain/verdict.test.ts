import { EndReason } from "@codemesh/api";
import { expect, test } from "vitest";
import { creating, started, stopping, terminated } from "./session.js";
import { verdict } from "./verdict.js";

const session = creating({
  tenant: "acme",
  id: "01K0000000000000000000000A",
  executor: "e1",
  incarnation: "i1",
  labels: {},
  timeoutMs: 900_000,
  createTimeMs: 0,
});

test("lets a session live until 5 s after its deadline", () => {
  expect(verdict(started(session), "present", 905_000)).toBeUndefined();
  expect(verdict(started(session), "present", 905_001)).toBe(EndReason.EXPIRED);
});

test("lets a sandbox take 120 s to come up", () => {
  expect(verdict(session, "present", 120_000)).toBeUndefined();
  expect(verdict(session, "present", 120_001)).toBe(EndReason.CREATE_FAILED);
  expect(verdict(started(session), "present", 120_001)).toBeUndefined();
});

test("ends what a lost executor held, also what was being removed", () => {
  expect(verdict(session, "gone", 1)).toBe(EndReason.EXECUTOR_LOST);
  expect(verdict(stopping(session, EndReason.REQUESTED), "gone", 1)).toBe(EndReason.EXECUTOR_LOST);
});

test("leaves the ended alone", () => {
  expect(verdict(terminated(session, EndReason.REQUESTED, 5), "gone", 10_000_000)).toBeUndefined();
});
