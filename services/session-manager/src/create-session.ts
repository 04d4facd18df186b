import {
  type CreateSessionRequest,
  EndReason,
  Refusal,
  refusalFromError,
  SessionState,
  type Session as ShownSession,
} from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { type CreateOrder, createOrder } from "./domain/create-order.js";
import { creating, type Session, started, stopping, terminated } from "./domain/session.js";
import type { Claim } from "./executor-registry.js";
import type { Parts } from "./parts.js";

/** Each executor that refuses or fails costs a caller time; past this many the mesh is in trouble. */
const MAX_EXECUTORS_TRIED = 3;
const RETRY_AFTER_MS = 1_000;
/** With these an executor says that it holds nothing of the session. */
const DECLINED: ReadonlySet<string> = new Set(["NO_CAPACITY", "EXECUTOR_DRAINING", "SANDBOX_START_FAILED"]);

/** Creates a session and shows it READY, or leaves nothing behind but the record of what failed. */
export async function createSession(
  parts: Parts,
  request: CreateSessionRequest,
  context: HandlerContext,
): Promise<ShownSession | undefined> {
  const order = createOrder(request);
  const tried = new Set<string>();
  let failure = noCapacity(undefined);
  while (tried.size < MAX_EXECUTORS_TRIED) {
    const claim = parts.registry.claim(tried);
    if (claim === undefined) {
      break;
    }
    tried.add(claim.executor.id);
    const outcome = await attempt(parts, order, claim, context);
    if (!(outcome instanceof Refusal)) {
      return outcome;
    }
    failure = outcome;
  }
  throw failure;
}

/** Tries one executor with a session of its own (S3): shows it READY, or says why not. */
async function attempt(
  parts: Parts,
  order: CreateOrder,
  claim: Claim,
  context: HandlerContext,
): Promise<ShownSession | undefined | Refusal> {
  const session = await recorded(parts, order, claim, context);
  try {
    // The record is there before the sandbox, so that no crash leaves a sandbox that nobody knows of.
    await parts.sandboxes.create(session, order.environment, context);
  } catch (error) {
    return await failed(parts, session, error, context);
  }
  // A caller that has gone would never stop it.
  const ready = context.signal.aborted ? undefined : await becomesReady(parts, session);
  if (context.signal.aborted || ready === undefined) {
    abandon(parts, session, context);
    throwIfGone(context);
    return startFailed(undefined, "The session was ended while its sandbox started.");
  }
  return ready;
}

async function recorded(
  parts: Parts,
  order: CreateOrder,
  { executor, release }: Claim,
  context: HandlerContext,
): Promise<Session> {
  try {
    const { session } = await parts.store.create(
      creating({
        tenant: callerOf(context).tenant,
        id: parts.newId(),
        executor: executor.id,
        incarnation: executor.incarnation,
        labels: order.labels,
        timeoutMs: order.timeoutMs,
        createTimeMs: parts.now(),
      }),
    );
    return session;
  } finally {
    release();
  }
}

async function becomesReady(parts: Parts, session: Session): Promise<ShownSession | undefined> {
  try {
    const stored = await parts.store.change(session.tenant, session.id, started);
    return stored?.session.state === SessionState.READY ? stored.record.session : undefined;
  } catch (error) {
    parts.logger.warn({ err: error, session: session.id }, "a session could not be written READY");
    return undefined;
  }
}

async function failed(parts: Parts, session: Session, error: unknown, context: HandlerContext): Promise<Refusal> {
  if (context.signal.aborted) {
    abandon(parts, session, context);
    throwIfGone(context);
  }
  const reason = refusalFromError(error)?.reason;
  parts.logger.warn({ err: error, session: session.id, executor: session.executor }, "a sandbox did not start");
  if (reason !== undefined && DECLINED.has(reason)) {
    await parts.store.change(session.tenant, session.id, (current) =>
      terminated(current, EndReason.CREATE_FAILED, parts.now()),
    );
  } else {
    abandon(parts, session, context);
  }
  return reason === "NO_CAPACITY" || reason === "EXECUTOR_DRAINING" ? noCapacity(error) : startFailed(error);
}

/**
 * Ends the session and removes what there may be of its sandbox, without keeping the caller. A sandbox that cannot be
 * removed keeps its session STOPPING, for its executor or the reaper to end.
 */
function abandon(
  { store, sandboxes, background, logger, now }: Parts,
  session: Session,
  context: HandlerContext,
): void {
  const { tenant, id } = session;
  background.run("ending a session that did not come up", async () => {
    // The reason is written before the executor tells of the removal.
    await store
      .change(tenant, id, (current) => stopping(current, EndReason.CREATE_FAILED))
      .catch((error: unknown) => logger.warn({ err: error, session: id }, "the end of a session was not written"));
    await sandboxes.remove(session, context);
    await store.change(tenant, id, (current) => terminated(current, EndReason.CREATE_FAILED, now()));
  });
}

/** Ends the call as the caller ended it: given up, or out of time. */
function throwIfGone({ signal }: HandlerContext): void {
  if (signal.aborted) {
    throw ConnectError.from(signal.reason, Code.Canceled);
  }
}

function noCapacity(cause: unknown): Refusal {
  return new Refusal(Code.ResourceExhausted, "NO_CAPACITY", "No executor can take another sandbox; try again later.", {
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  });
}

function startFailed(
  cause: unknown,
  sentence = "The sandbox did not start; nothing of it is left, and the call may be made again.",
): Refusal {
  return new Refusal(Code.Unavailable, "SANDBOX_START_FAILED", sentence, { retryAfterMs: RETRY_AFTER_MS, cause });
}
