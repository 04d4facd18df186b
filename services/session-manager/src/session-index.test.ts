import { EndReason, type SessionRecord, SessionState } from "@codemesh/api";
import { type Entry, sessionKey } from "@codemesh/bus";
import fc from "fast-check";
import { expect, test } from "vitest";
import { creating, type Session, started, terminated } from "./domain/session.js";
import { createSessionIndex } from "./session-index.js";
import { recordFromSession } from "./session-record.js";

const idOf = (number: number) => `01K${String(number).padStart(23, "0")}`;
const fresh = (number: number, executor = "e1") =>
  creating({
    tenant: "acme",
    id: idOf(number),
    executor,
    incarnation: "i1",
    labels: {},
    timeoutMs: 1_000,
    createTimeMs: number,
  });
const entryOf = (session: Session, revision: number): Entry<SessionRecord> => ({
  key: sessionKey(session.tenant, session.id),
  value: recordFromSession(session),
  revision: BigInt(revision),
});
const all = { size: 1_000, after: "", states: new Set<SessionState>() };
const ended = (session: Session, timeMs = 5_000) => terminated(session, EndReason.REQUESTED, timeMs);

test("comes to the same whatever the order and however often changes arrive", () => {
  const changes = [1, 2, 3].flatMap((number) => [
    entryOf(fresh(number), number * 10),
    entryOf(started(fresh(number)), number * 10 + 1),
    entryOf(ended(fresh(number)), number * 10 + 2),
  ]);
  const kept = changes.slice(0, -1);
  fc.assert(
    fc.property(fc.shuffledSubarray([...kept, ...kept], { minLength: 2 * kept.length }), (order) => {
      const index = createSessionIndex();
      for (const change of order) {
        index.apply(change);
      }
      const { records } = index.page("acme", all);
      expect(records.map((record) => record.session?.name)).toEqual([1, 2, 3].map((n) => `sessions/${idOf(n)}`));
      expect(records.map((record) => record.session?.state)).toEqual([
        SessionState.TERMINATED,
        SessionState.TERMINATED,
        SessionState.READY,
      ]);
      expect(index.liveKeys()).toEqual([sessionKey("acme", idOf(3))]);
      expect(index.heldBy("e1", "i1")).toBe(1);
    }),
  );
});

test("counts sessions by the incarnation that holds them", () => {
  const index = createSessionIndex();
  index.apply(entryOf(fresh(1, "e1"), 1));
  index.apply(entryOf(fresh(2, "e2"), 2));
  index.apply(entryOf(fresh(3, "e2"), 3));
  index.remove(sessionKey("acme", idOf(3)));
  expect([index.heldBy("e1", "i1"), index.heldBy("e2", "i1"), index.heldBy("e2", "i2")]).toEqual([1, 1, 0]);
});

test("shows a tenant its own sessions only", () => {
  const index = createSessionIndex();
  index.apply(entryOf(fresh(1), 1));
  expect(index.page("other", all).records).toEqual([]);
});

test("forgets what ended long ago and nothing else", () => {
  const index = createSessionIndex();
  index.apply(entryOf(ended(fresh(1), 5_000), 1));
  index.apply(entryOf(ended(fresh(2), 9_000), 2));
  index.apply(entryOf(fresh(3), 3));
  index.forgetEndedBefore(6_000);
  expect(index.page("acme", all).records.map((record) => record.session?.name)).toEqual(
    [2, 3].map((number) => `sessions/${idOf(number)}`),
  );
});
