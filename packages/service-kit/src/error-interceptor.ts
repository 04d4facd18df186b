import { randomUUID } from "node:crypto";
import { connectErrorFromRefusal, Refusal, refusalFromError } from "@codemesh/api";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "./logger.js";

/**
 * Turns every error of a handler into what a caller may see, and logs it once.
 *
 * A refusal is a line without a stack. An error of our own is logged with its cause; the caller sees `INTERNAL` /
 * `INTERNAL_ERROR` with an incident id to quote.
 */
export function createErrorInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const rpc = `${request.service.typeName}/${request.method.name}`;
    try {
      const response = await next(request);
      if (!response.stream) {
        return response;
      }
      // A streaming handler's error is thrown while its messages are read, after `next` has returned.
      return { ...response, message: guarded(response.message, (error) => reported(error, rpc, logger)) };
    } catch (error) {
      throw reported(error, rpc, logger);
    }
  };
}

async function* guarded<T>(messages: AsyncIterable<T>, report: (error: unknown) => ConnectError): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw report(error);
  }
}

function reported(error: unknown, rpc: string, logger: Logger): ConnectError {
  const refusal = refusalFromError(error);
  if (refusal !== undefined) {
    logger.info(
      { rpc, code: Code[refusal.code], reason: refusal.reason, ...causeMessage(refusal) },
      oneLine(refusal.message),
    );
    return connectErrorFromRefusal(refusal);
  }
  if (error instanceof ConnectError && isOfTheCall(error)) {
    logger.info({ rpc, code: Code[error.code] }, oneLine(error.rawMessage));
    return error;
  }
  const incident = randomUUID();
  logger.error({ rpc, incident, err: error }, "internal error");
  return connectErrorFromRefusal(
    new Refusal(Code.Internal, "INTERNAL_ERROR", `Something failed on our side; the incident is ${incident}.`, {
      metadata: { incident },
      cause: error,
    }),
  );
}

/** Whether the framework ended the call: cancelled, out of time, unreadable, or not there. */
function isOfTheCall(error: ConnectError): boolean {
  switch (error.code) {
    case Code.Canceled:
    case Code.DeadlineExceeded:
    case Code.InvalidArgument:
    case Code.ResourceExhausted:
    case Code.Unimplemented:
    case Code.Unavailable:
      return true;
    default:
      return false;
  }
}

function causeMessage(refusal: Refusal): { cause?: string } {
  return refusal.cause instanceof Error ? { cause: oneLine(refusal.cause.message) } : {};
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the text may be an enemy's
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, 1024);
}
