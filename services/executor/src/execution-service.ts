import {
  EndReason,
  type ExecuteRequest,
  type ExecutionService,
  executionIdsOf,
  executionName,
  invalidArgument,
  Refusal,
  SessionState,
  sessionIdOf,
  type Violation,
} from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { executeRequestViolations, timeoutMsOf } from "./domain/execute-request.js";
import { newExecutionId } from "./execution-id.js";
import { type SessionLookup, sessionNotReady } from "./session-lookup.js";

/** Runs code in the sandboxes of this host. */
export function createExecutionService(lookup: SessionLookup): ServiceImpl<typeof ExecutionService> {
  return {
    async *execute(request, context) {
      const source = sourceOf(request);
      const { tenant } = callerOf(context);
      const sessionId = sessionIdOf("session", request.session);
      const lease = await lookup({ tenant, sessionId });
      const live = lease.sandbox.python.execute({
        name: executionName(sessionId, newExecutionId()),
        source,
        timeoutMs: timeoutMsOf(request),
      });
      let begun = false;
      try {
        for await (const response of live.responses(context.signal)) {
          begun = true;
          yield response;
        }
      } catch (cause) {
        // Nothing above throws by itself: the response could not be written any more.
        throw new ConnectError("the caller has gone", Code.Canceled, undefined, undefined, cause);
      }
      if (context.signal.aborted) {
        throw ConnectError.from(context.signal.reason, Code.Canceled);
      }
      if (!begun) {
        throw neverRan(sessionId, lease.endReason);
      }
    },
    async cancelExecution({ name }, context) {
      const { tenant } = callerOf(context);
      const { sessionId } = executionIdsOf("name", name);
      const lease = await lookup({ tenant, sessionId });
      const live = lease.sandbox.python.find(name);
      if (live === undefined) {
        throw new Refusal(Code.NotFound, "EXECUTION_NOT_FOUND", `There is no execution ${name}.`, {
          metadata: { execution: name },
        });
      }
      if (live !== "finished") {
        live.stop("cancelled");
      }
      return {};
    },
  };
}

/** The program of a request that is right in every field. */
function sourceOf(request: ExecuteRequest): string {
  const [first, ...more] = executeRequestViolations(request);
  if (first !== undefined) {
    throw invalidArgument([first, ...more] satisfies [Violation, ...Violation[]]);
  }
  return request.work.value?.source ?? "";
}

/** Why an execution ended before its turn. */
function neverRan(sessionId: string, endReason: EndReason): Error {
  return endReason === EndReason.UNSPECIFIED
    ? new ConnectError("cancelled before its turn", Code.Canceled)
    : sessionNotReady(sessionId, SessionState.STOPPING, endReason);
}
