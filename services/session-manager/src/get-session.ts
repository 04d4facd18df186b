import { Refusal, type Session as ShownSession, sessionIdOf } from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, type HandlerContext } from "@connectrpc/connect";
import type { Parts } from "./parts.js";

/** Shows a session as it is now, whichever replica changed it last. */
export async function getSession(
  parts: Parts,
  name: string,
  context: HandlerContext,
): Promise<ShownSession | undefined> {
  const stored = await parts.store.get(callerOf(context).tenant, sessionIdOf("name", name));
  if (stored === undefined) {
    throw sessionNotFound(name);
  }
  return stored.record.session;
}

/** The answer for a session that is not there, and for one of another tenant. */
export function sessionNotFound(name: string): Refusal {
  return new Refusal(Code.NotFound, "SESSION_NOT_FOUND", `There is no session ${name}.`, {
    metadata: { session: name },
  });
}
