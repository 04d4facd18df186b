import { EndReason, SessionState } from "@codemesh/api";
import { expireTimeMs, type Reason, type Session } from "./session.js";

/** How long a sandbox may take to come up, ms; a session that is CREATING for longer has lost the one that made it. */
export const CREATE_LIMIT_MS = 120_000;
/** How long after the deadline the executor may take to say that the sandbox is gone, ms. */
export const EXPIRY_GRACE_MS = 5_000;

/** Whether the incarnation of the executor that a session belongs to is still there. */
export type Holder = "present" | "gone";

/** Why a session must end though nobody said so, or `undefined` while it may go on. */
export function verdict(session: Session, holder: Holder, nowMs: number): Reason | undefined {
  if (session.state === SessionState.TERMINATED) {
    return undefined;
  }
  if (holder === "gone") {
    return EndReason.EXECUTOR_LOST;
  }
  if (nowMs > expireTimeMs(session) + EXPIRY_GRACE_MS) {
    return EndReason.EXPIRED;
  }
  if (session.state === SessionState.CREATING && nowMs > session.createTimeMs + CREATE_LIMIT_MS) {
    return EndReason.CREATE_FAILED;
  }
  return undefined;
}
