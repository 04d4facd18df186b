import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { SandboxService, sessionName } from "@codemesh/api";
import { forward, type ServiceClients } from "@codemesh/service-kit";
import type { HandlerContext } from "@connectrpc/connect";
import { expireTimeMs, type Session } from "./domain/session.js";
import type { ExecutorRegistry } from "./executor-registry.js";

/** A cold start takes well under a second, and queues behind others in a burst. */
const CREATE_LIMIT_MS = 60_000;
const REMOVE_LIMIT_MS = 10_000;

/** The sandboxes of sessions, at the executors that hold them. */
export interface Sandboxes {
  /** Makes a session's sandbox and returns when it can run code; ends with the call it is made for. */
  create(session: Session, environment: Readonly<Record<string, string>>, context: HandlerContext): Promise<void>;
  /** Removes a session's sandbox and returns when it is gone. Goes on, for up to 10 s, when the call it is made for ends. */
  remove(session: Session, context: HandlerContext): Promise<void>;
}

export function createSandboxes(registry: ExecutorRegistry, clients: ServiceClients): Sandboxes {
  return {
    async create(session, environment, context) {
      const address = addressOf(registry, session);
      if (address === undefined) {
        throw new Error(`executor ${session.executor} is gone`);
      }
      const options = forward(context);
      await clients.clientFor(SandboxService, address).createSandbox(
        {
          session: sessionName(session.id),
          expireTime: timestampFromMs(expireTimeMs(session)),
          environment: { ...environment },
        },
        { ...options, timeoutMs: Math.min(options.timeoutMs ?? CREATE_LIMIT_MS, CREATE_LIMIT_MS) },
      );
    },
    async remove(session, context) {
      const address = addressOf(registry, session);
      if (address === undefined) {
        return; // S3: with its incarnation went its sandboxes.
      }
      const { headers } = forward(context);
      await clients
        .clientFor(SandboxService, address)
        .removeSandbox(
          { session: sessionName(session.id) },
          { timeoutMs: REMOVE_LIMIT_MS, ...(headers === undefined ? {} : { headers }) },
        );
    },
  };
}

function addressOf(registry: ExecutorRegistry, session: Session): string | undefined {
  const executor = registry.get(session.executor);
  return executor?.incarnation === session.incarnation ? executor.address : undefined;
}
