import { timestampMs } from "@bufbuild/protobuf/wkt";
import { EndReason, type SandboxRemoved, sessionIdFromName } from "@codemesh/api";
import type { Bus, Consumption } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";
import { reasonOr, terminated } from "./domain/session.js";
import type { SessionStore } from "./session-store.js";

/** The name that all replicas read under; each removal is told to one of them. */
const DURABLE = "session-manager";

/** Ends the sessions whose sandboxes are gone, as their executors tell. */
export function consumeRemovals(
  bus: Bus,
  store: Pick<SessionStore, "change">,
  now: () => number,
  logger: Logger,
): Promise<Consumption> {
  return bus.consume({
    stream: "SANDBOX",
    durable: DURABLE,
    async handler(event: SandboxRemoved) {
      const sessionId = sessionIdFromName(event.session);
      if (sessionId === undefined) {
        logger.warn({ session: event.session }, "a removal names no session");
        return;
      }
      const reason = reasonOr(event.reason, EndReason.SANDBOX_DIED);
      const timeMs = event.time === undefined ? now() : timestampMs(event.time);
      const stored = await store.change(event.tenant, sessionId, (session) => terminated(session, reason, timeMs));
      if (stored === undefined) {
        logger.warn({ tenant: event.tenant, session: sessionId }, "a sandbox was removed that has no session");
      }
    },
  });
}
