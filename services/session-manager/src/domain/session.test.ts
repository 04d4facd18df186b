import { EndReason, SessionState } from "@codemesh/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { creating, expireTimeMs, type Reason, type Session, started, stopping, terminated } from "./session.js";

const REASONS: readonly Reason[] = [
  EndReason.REQUESTED,
  EndReason.EXPIRED,
  EndReason.SANDBOX_DIED,
  EndReason.EXECUTOR_LOST,
  EndReason.CREATE_FAILED,
];
const CREATE_TIME_MS = 1_000_000;

const fresh = creating({
  tenant: "acme",
  id: "01K0000000000000000000000A",
  executor: "e1",
  incarnation: "i1",
  labels: { team: "blue" },
  timeoutMs: 900_000,
  createTimeMs: CREATE_TIME_MS,
});

interface Model {
  session: Session;
  /** The reason of the first step that ended it. */
  firstReason: Reason | undefined;
}

type Step = fc.Command<Model, undefined>;

class Started implements Step {
  check = () => true;
  run(model: Model): void {
    step(model, started(model.session), undefined);
  }
  toString = () => "started";
}

class Stop implements Step {
  constructor(readonly reason: Reason) {}
  check = () => true;
  run(model: Model): void {
    step(model, stopping(model.session, this.reason), this.reason);
  }
  toString = () => `stopping(${EndReason[this.reason]})`;
}

class Terminate implements Step {
  constructor(
    readonly reason: Reason,
    readonly nowMs: number,
  ) {}
  check = () => true;
  run(model: Model): void {
    step(model, terminated(model.session, this.reason, this.nowMs), this.reason);
  }
  toString = () => `terminated(${EndReason[this.reason]}, ${this.nowMs})`;
}

function step(model: Model, next: Session, reason: Reason | undefined): void {
  const before = model.session;
  model.firstReason ??= reason;
  expect(next.state).toBeGreaterThanOrEqual(before.state); // S1
  if (before.state === SessionState.TERMINATED || next.state === before.state) {
    expect(next).toBe(before); // S1, and nothing is written for nothing
  }
  if (next.state === SessionState.STOPPING || next.state === SessionState.TERMINATED) {
    expect(next.endReason).toBe(model.firstReason); // S2
  } else {
    expect(next).not.toHaveProperty("endReason");
  }
  expect([next.executor, next.incarnation]).toEqual(["e1", "i1"]); // S3
  expect(expireTimeMs(next)).toBe(CREATE_TIME_MS + 900_000); // S4
  if (next.state === SessionState.TERMINATED) {
    expect(next.endTimeMs).toBeGreaterThanOrEqual(next.createTimeMs); // S5
  } else {
    expect(next).not.toHaveProperty("endTimeMs");
  }
  model.session = next;
}

test("keeps S1 to S5 whatever happens in whatever order", () => {
  const reason = fc.constantFrom(...REASONS);
  const steps = fc.commands<Model, undefined>(
    [
      fc.constant(new Started()),
      reason.map((value) => new Stop(value)),
      fc
        .tuple(reason, fc.integer({ min: 0, max: 2 * CREATE_TIME_MS }))
        .map(([value, now]) => new Terminate(value, now)),
    ],
    { maxCommands: 30 },
  );
  fc.assert(
    fc.property(steps, (commands) => {
      fc.modelRun(() => ({ model: { session: fresh, firstReason: undefined }, real: undefined }), commands);
    }),
    { numRuns: 1_000 },
  );
});

test("ends without ever having been ready", () => {
  expect(terminated(stopping(fresh, EndReason.REQUESTED), EndReason.CREATE_FAILED, CREATE_TIME_MS + 5)).toMatchObject({
    state: SessionState.TERMINATED,
    endReason: EndReason.REQUESTED,
    endTimeMs: CREATE_TIME_MS + 5,
  });
});
