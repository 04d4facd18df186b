import {
  EndReason,
  type ExecutorRecord,
  Refusal,
  refusalFromError,
  SandboxFileService,
  type SessionRecord,
  SessionState,
  sessionIdOf,
} from "@codemesh/api";
import { type RecordStore, sessionKey } from "@codemesh/bus";
import type { ServiceClients } from "@codemesh/service-kit";
import { type Client, Code, ConnectError } from "@connectrpc/connect";

/** The way to the files of a session's sandbox. */
export interface SandboxFiles {
  /**
   * A client of the executor that holds a session's sandbox.
   *
   * Refuses with `SESSION_NOT_FOUND`, also for a session of another tenant, `SESSION_NOT_READY`, `EXECUTOR_UNAVAILABLE`.
   */
  clientOf(tenant: string, session: string): Promise<Client<typeof SandboxFileService>>;
}

export interface SandboxFilesOptions {
  readonly sessions: Pick<RecordStore<SessionRecord>, "get">;
  readonly executors: Pick<RecordStore<ExecutorRecord>, "get">;
  readonly clients: ServiceClients;
}

/** Finds executors by the records of sessions and executors. Nothing is remembered: a session ends at any moment. */
export function createSandboxFiles({ sessions, executors, clients }: SandboxFilesOptions): SandboxFiles {
  return {
    async clientOf(tenant, session) {
      const record = (await sessions.get(sessionKey(tenant, sessionIdOf("session", session))))?.value;
      if (record === undefined) {
        throw new Refusal(Code.NotFound, "SESSION_NOT_FOUND", `There is no session ${session}.`, {
          metadata: { session },
        });
      }
      requireReady(session, record);
      const executor = (await executors.get(record.executor))?.value;
      // Sandboxes of another incarnation are gone.
      if (executor === undefined || executor.incarnation !== record.executorIncarnation) {
        throw executorUnavailable();
      }
      return clients.clientFor(SandboxFileService, executor.address);
    },
  };
}

/** The error of a call to an executor as the caller may see it. */
export function errorOfExecutor(error: unknown): unknown {
  return error instanceof ConnectError && error.code === Code.Unavailable && refusalFromError(error) === undefined
    ? executorUnavailable(error)
    : error;
}

function requireReady(session: string, { session: details }: SessionRecord): void {
  const state = SessionState[details?.state ?? SessionState.UNSPECIFIED];
  if (details?.state !== SessionState.READY) {
    throw new Refusal(
      Code.FailedPrecondition,
      "SESSION_NOT_READY",
      `The session ${session} is ${state}; files can be reached while it is READY.`,
      { metadata: { session, state, end_reason: EndReason[details?.endReason ?? EndReason.UNSPECIFIED] } },
    );
  }
}

function executorUnavailable(cause?: unknown): Refusal {
  return new Refusal(
    Code.Unavailable,
    "EXECUTOR_UNAVAILABLE",
    "The host that holds this session cannot be reached; try again, or open a new session.",
    { cause },
  );
}
