import { EndReason } from "@codemesh/api";
import { sessionKey } from "@codemesh/bus";
import { createLogger } from "@codemesh/service-kit";
import { expect, test } from "vitest";
import { creating, type Session, started, terminated } from "./domain/session.js";
import { reap } from "./reaper.js";
import { createSessionIndex } from "./session-index.js";
import { recordFromSession } from "./session-record.js";
import type { SessionStore } from "./session-store.js";

const idOf = (number: number) => `01K${String(number).padStart(23, "0")}`;
const session = (number: number, executor: string) =>
  creating({
    tenant: "acme",
    id: idOf(number),
    executor,
    incarnation: "i1",
    labels: {},
    timeoutMs: 900_000,
    createTimeMs: 0,
  });

/** One round at this time over these sessions; the reasons they ended for, in their order. */
async function reaped(sessions: readonly Session[], present: (executor: string) => boolean, nowMs: number) {
  const index = createSessionIndex();
  const now = new Map(sessions.map((one) => [one.id, one]));
  for (const one of sessions) {
    index.apply({ key: sessionKey(one.tenant, one.id), value: recordFromSession(one), revision: 1n });
  }
  const asked: string[] = [];
  const change = async (_tenant: string, id: string, transition: (session: Session) => Session) => {
    now.set(id, transition(now.get(id) as Session));
  };
  await reap(
    {
      store: { index, change } as unknown as SessionStore,
      registry: {
        isPresent: async (executor) => {
          asked.push(executor);
          return present(executor);
        },
      },
      keepMs: 1_000_000,
      now: () => nowMs,
      logger: createLogger({ service: "test", level: "silent" }),
    },
    new AbortController().signal,
  );
  const reasons = [...now.values()].map((one) => ("endReason" in one ? one.endReason : undefined));
  return { reasons, asked, index };
}

test("ends what a lost executor held and leaves the others", async () => {
  const sessions = [started(session(1, "lost")), started(session(2, "there")), session(3, "lost")];
  const { reasons, asked } = await reaped(sessions, (executor) => executor === "there", 1_000);
  expect(reasons).toEqual([EndReason.EXECUTOR_LOST, undefined, EndReason.EXECUTOR_LOST]);
  expect(asked.sort()).toEqual(["lost", "there"]); // each once, however many sessions it holds
});

test("ends what never came up and what outlived its deadline", async () => {
  const present = () => true;
  expect((await reaped([session(1, "e1"), started(session(2, "e1"))], present, 120_001)).reasons).toEqual([
    EndReason.CREATE_FAILED,
    undefined,
  ]);
  expect((await reaped([started(session(1, "e1"))], present, 905_001)).reasons).toEqual([EndReason.EXPIRED]);
});

test("forgets what its bucket no longer keeps", async () => {
  const ended = terminated(session(1, "e1"), EndReason.REQUESTED, 500_000);
  const key = sessionKey("acme", idOf(1));
  expect((await reaped([ended], () => true, 1_499_000)).index.get(key)).toBeDefined();
  expect((await reaped([ended], () => true, 1_501_000)).index.get(key)).toBeUndefined();
});
