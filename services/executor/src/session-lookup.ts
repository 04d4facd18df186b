import { EndReason, Refusal, type SessionRecord, SessionState, sessionName } from "@codemesh/api";
import { type RecordStore, sessionKey } from "@codemesh/bus";
import { Code } from "@connectrpc/connect";
import type { Lease, SessionKey } from "./sandbox/lease.js";
import type { Sandboxes } from "./sandbox/sandboxes.js";

const RETRY_MS = 1_000;

/** Finds the sandbox of a session, or says why there is none. */
export type SessionLookup = (key: SessionKey) => Promise<Lease>;

/**
 * Looks among the sandboxes here; only for a session that has none here is its record read. Another tenant's session is
 * as unknown as one that never was.
 */
export function createSessionLookup(
  sandboxes: Sandboxes,
  sessions: Pick<RecordStore<SessionRecord>, "get">,
): SessionLookup {
  return async (key) => sandboxes.find(key) ?? raise(await whyNot(key, sandboxes, sessions));
}

/** The session has ended or is ending, and why. */
export function sessionNotReady(sessionId: string, state: SessionState, endReason: EndReason): Refusal {
  const ended = endReason === EndReason.UNSPECIFIED ? "" : ` (${EndReason[endReason]})`;
  return new Refusal(
    Code.FailedPrecondition,
    "SESSION_NOT_READY",
    `Session ${sessionName(sessionId)} is ${SessionState[state]}${ended}; create another.`,
    { metadata: { session: sessionName(sessionId), state: SessionState[state], end_reason: EndReason[endReason] } },
  );
}

async function whyNot(
  key: SessionKey,
  sandboxes: Sandboxes,
  sessions: Pick<RecordStore<SessionRecord>, "get">,
): Promise<Refusal> {
  const endedHere = sandboxes.endReasonOf(key);
  if (endedHere !== undefined) {
    return sessionNotReady(key.sessionId, SessionState.TERMINATED, endedHere);
  }
  const session = (await sessions.get(sessionKey(key.tenant, key.sessionId)))?.value.session;
  if (session === undefined) {
    const name = sessionName(key.sessionId);
    return new Refusal(Code.NotFound, "SESSION_NOT_FOUND", `There is no session ${name}.`, {
      metadata: { session: name },
    });
  }
  // READY, but not here: the record has not caught up with what happened, or the call went to the wrong executor.
  return session.state === SessionState.READY
    ? new Refusal(Code.Unavailable, "EXECUTOR_UNAVAILABLE", "The session's executor was not reached; try again.", {
        retryAfterMs: RETRY_MS,
      })
    : sessionNotReady(key.sessionId, session.state, session.endReason);
}

function raise(error: Error): never {
  throw error;
}
