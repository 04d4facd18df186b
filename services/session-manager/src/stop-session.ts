import { EndReason, Refusal, SessionState, type Session as ShownSession, sessionIdOf } from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { stopping, terminated } from "./domain/session.js";
import { sessionNotFound } from "./get-session.js";
import type { Parts } from "./parts.js";

const RETRY_AFTER_MS = 1_000;

/** Ends a session and shows it TERMINATED, its sandbox gone. */
export async function stopSession(
  parts: Parts,
  name: string,
  context: HandlerContext,
): Promise<ShownSession | undefined> {
  const sessionId = sessionIdOf("name", name);
  const { tenant } = callerOf(context);
  const asked = await parts.store.change(tenant, sessionId, (session) => stopping(session, EndReason.REQUESTED));
  if (asked === undefined) {
    throw sessionNotFound(name);
  }
  if (asked.session.state === SessionState.TERMINATED) {
    return asked.record.session;
  }
  try {
    await parts.sandboxes.remove(asked.session, context);
  } catch (cause) {
    throw new Refusal(
      Code.Unavailable,
      "EXECUTOR_UNAVAILABLE",
      `The executor of ${name} does not answer. The session is being stopped; ask again to see its end.`,
      { metadata: { session: name }, retryAfterMs: RETRY_AFTER_MS, cause },
    );
  }
  const ended = await parts.store.change(tenant, sessionId, (session) =>
    terminated(session, EndReason.REQUESTED, parts.now()),
  );
  return ended?.record.session;
}
