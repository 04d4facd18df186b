import { Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";

const RETRY_MS = 1_000;

/** The agent does not answer; it may be dialling again, or the sandbox is about to end. */
export function unreachable(): Refusal {
  return unavailable("The sandbox does not answer; try again.", undefined);
}

/** A transfer that ended without a word; the session is unharmed. */
export function brokenOff(cause?: unknown): Refusal {
  return unavailable("The transfer broke off; try again.", cause);
}

function unavailable(sentence: string, cause: unknown): Refusal {
  return new Refusal(Code.Unavailable, "EXECUTOR_UNAVAILABLE", sentence, { cause, retryAfterMs: RETRY_MS });
}
