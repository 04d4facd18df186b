import { fromBinary } from "@bufbuild/protobuf";
import { type Status, StatusSchema } from "@codemesh/api";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Metadata, ServiceError } from "@grpc/grpc-js";

/** Whether an error is a status that grpc-js reports. */
function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

/**
 * The error as Connect clients know it, with the details of `grpc-status-details-bin`.
 *
 * When the caller's own signal ended the call, its reason is the error.
 */
export function connectErrorFrom(error: unknown, signal: AbortSignal | undefined): ConnectError {
  if (signal?.aborted === true) {
    return ConnectError.from(signal.reason, Code.Canceled);
  }
  if (!isServiceError(error)) {
    return ConnectError.from(error, Code.Internal);
  }
  const status = statusOf(error.metadata);
  // The status in full is the message as it was written; `details` went through an encoding that not all agree on.
  const message = status?.message ? status.message : error.details;
  const result = new ConnectError(message, codeOf(error), undefined, undefined, error);
  result.details.push(
    ...(status?.details ?? []).map((detail) => ({
      type: detail.typeUrl.slice(detail.typeUrl.lastIndexOf("/") + 1),
      value: detail.value,
    })),
  );
  return result;
}

/** The same number: Connect's codes are those of gRPC, without OK. */
function codeOf(error: ServiceError): Code {
  return error.code in Code ? (error.code as number as Code) : Code.Unknown;
}

function statusOf(metadata: Metadata | undefined): Status | undefined {
  const bytes = metadata?.get("grpc-status-details-bin")[0];
  if (!(bytes instanceof Uint8Array)) {
    return undefined;
  }
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    // Details are an aid; a status with damaged ones is still that status.
    return undefined;
  }
}
