import type { Message } from "@bufbuild/protobuf";
import {
  EndReason,
  type ExecutorRecord,
  executionIdsOf,
  Refusal,
  type SessionRecord,
  SessionState,
  sessionIdOf,
} from "@codemesh/api";
import { type RecordStore, sessionKey } from "@codemesh/bus";
import { Code } from "@connectrpc/connect";
import { LRUCache } from "lru-cache";

const MAX_ROUTES = 100_000;
const RETRY_AFTER_MS = 1_000;

/** Finds the executor that holds a session. */
export interface SessionRoutes {
  /** `http://host:port` of the executor; refuses as codemesh.execution.v1.ExecutionService says. */
  urlFor(tenant: string, message: Message): Promise<string>;
}

/** Creates routes over session records; a session keeps its executor for life, so a route is read once. */
export function createSessionRoutes(
  sessions: RecordStore<SessionRecord>,
  executors: ReadonlyMap<string, ExecutorRecord>,
): SessionRoutes {
  const executorOf = new LRUCache<string, string>({ max: MAX_ROUTES });
  return {
    async urlFor(tenant, message) {
      const key = sessionKey(tenant, sessionIdIn(message));
      let executor = executorOf.get(key);
      if (executor === undefined) {
        executor = readyExecutor(key, (await sessions.get(key))?.value);
        executorOf.set(key, executor);
      }
      const url = executors.get(executor)?.address;
      if (url === undefined) {
        throw new Refusal(Code.Unavailable, "EXECUTOR_UNAVAILABLE", "The host of this session cannot be reached now.", {
          metadata: { executor },
          retryAfterMs: RETRY_AFTER_MS,
        });
      }
      return url;
    },
  };
}

function sessionIdIn(message: Message): string {
  if ("session" in message) {
    return sessionIdOf("session", String(message.session));
  }
  if ("name" in message) {
    return executionIdsOf("name", String(message.name)).sessionId;
  }
  throw new Error(`${message.$typeName} names no session`);
}

function readyExecutor(key: string, record: SessionRecord | undefined): string {
  const name = `sessions/${key.slice(key.indexOf(".") + 1)}`;
  if (record?.session === undefined) {
    throw new Refusal(Code.NotFound, "SESSION_NOT_FOUND", `There is no session ${name}; create one first.`, {
      metadata: { session: name },
    });
  }
  const { state, endReason } = record.session;
  if (state !== SessionState.READY) {
    throw new Refusal(
      Code.FailedPrecondition,
      "SESSION_NOT_READY",
      `The session ${name} is ${SessionState[state]} and runs nothing; create another one.`,
      { metadata: { session: name, state: SessionState[state], end_reason: EndReason[endReason] } },
    );
  }
  return record.executor;
}
