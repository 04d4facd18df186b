import type { Duration } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** The `domain` of every `google.rpc.ErrorInfo` of ours. */
export const ERROR_DOMAIN = "codemesh";

/** One thing wrong with one field of a request. */
export interface Violation {
  /** The path of the field in the request, `code.source`. */
  readonly field: string;
  /** UPPER_SNAKE_CASE, for programs. */
  readonly reason: string;
  /** What would do instead, as a sentence. */
  readonly description: string;
}

export interface RefusalDetails {
  /** What the message says, piece by piece. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** How long to wait before the same call may succeed, ms. */
  readonly retryAfterMs?: number;
  /** What is wrong with the request, field by field. */
  readonly violations?: readonly Violation[];
  /** What led to the refusal; stays in this process. */
  readonly cause?: unknown;
}

/**
 * The one error a caller can act on: a canonical code, a reason to branch on, and a sentence that says what to do.
 * Travels as a gRPC status with `google.rpc.ErrorInfo`, `BadRequest` and `RetryInfo` details (AIP-193).
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly Violation[];

  constructor(
    readonly code: Code,
    readonly reason: string,
    message: string,
    details: RefusalDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
    this.violations = details.violations ?? [];
  }
}

/** Refuses a request for all its wrong fields at once; the reason is that of the first. */
export function invalidArgument(violations: readonly [Violation, ...Violation[]]): Refusal {
  return new Refusal(
    Code.InvalidArgument,
    violations[0].reason,
    violations.map((violation) => `${violation.field}: ${violation.description}`).join(" "),
    { violations },
  );
}

/** The refusal as it travels. */
export function connectErrorFromRefusal(refusal: Refusal): ConnectError {
  const error = new ConnectError(refusal.message, refusal.code, undefined, [
    {
      desc: ErrorInfoSchema,
      value: { reason: refusal.reason, domain: ERROR_DOMAIN, metadata: { ...refusal.metadata } },
    },
    ...(refusal.violations.length > 0
      ? [
          {
            desc: BadRequestSchema,
            value: { fieldViolations: refusal.violations.map((violation) => ({ ...violation })) },
          },
        ]
      : []),
    ...(refusal.retryAfterMs !== undefined
      ? [{ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(refusal.retryAfterMs) } }]
      : []),
  ]);
  error.cause = refusal.cause;
  return error;
}

/** The refusal that an error from another service carries, if it is one of ours. */
export function refusalFromError(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) {
    return error;
  }
  if (!(error instanceof ConnectError)) {
    return undefined;
  }
  const info = error.findDetails(ErrorInfoSchema).find((detail) => detail.domain === ERROR_DOMAIN);
  if (info === undefined) {
    return undefined;
  }
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new Refusal(error.code, info.reason, error.rawMessage, {
    metadata: info.metadata,
    violations: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations),
    cause: error,
    ...(delay === undefined ? {} : { retryAfterMs: msFromDuration(delay) }),
  });
}

/** A protobuf duration of whole milliseconds. */
export function durationFromMs(ms: number): { seconds: bigint; nanos: number } {
  const wholeMs = Math.round(ms);
  return { seconds: BigInt(Math.trunc(wholeMs / 1000)), nanos: (wholeMs % 1000) * 1_000_000 };
}

/** Milliseconds of a protobuf duration, rounded up. */
export function msFromDuration(duration: Pick<Duration, "seconds" | "nanos">): number {
  return Number(duration.seconds) * 1000 + Math.ceil(duration.nanos / 1_000_000);
}
