import { BadRequestSchema, ErrorInfoSchema } from "@codemesh/api";
import { Code, ConnectError } from "@connectrpc/connect";

/** A refusal as a caller sees it. */
export interface SeenRefusal {
  /** The name of the canonical code, `NotFound`. */
  readonly code: string;
  /** `google.rpc.ErrorInfo.reason`. */
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly message: string;
  /** The fields that `google.rpc.BadRequest` names. */
  readonly fields: readonly string[];
}

/** The refusal that a call ends with; throws when it succeeds or fails otherwise. */
export async function refusalOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<SeenRefusal> {
  try {
    if (Symbol.asyncIterator in call) {
      for await (const _ of call) {
        // Only the end of the stream matters.
      }
    } else {
      await call;
    }
  } catch (error) {
    if (!(error instanceof ConnectError)) {
      throw error;
    }
    return refusalIn(error);
  }
  throw new Error("The call succeeded.");
}

/** What an error says to a caller. */
export function refusalIn(error: ConnectError): SeenRefusal {
  const info = error.findDetails(ErrorInfoSchema)[0];
  return {
    code: Code[error.code] ?? "",
    reason: info?.reason,
    domain: info?.domain,
    metadata: info?.metadata ?? {},
    message: error.rawMessage,
    fields: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations.map(({ field }) => field)),
  };
}
