import { invalidArgument, MAX_INLINE_FILE_BYTES } from "@codemesh/api";

const MAX_BYTES = BigInt(MAX_INLINE_FILE_BYTES);

/** How many bytes to ask of the sandbox for a request's limit, where 0 means all. */
export function bytesToAsk(limit: bigint): bigint {
  return limit === 0n || limit > MAX_BYTES ? MAX_BYTES : limit;
}

/** Refuses with `FILE_TOO_LARGE` when more than 100 MiB of a file would be sent. */
export function requireInlineSize(fileBytes: bigint, offset: bigint, limit: bigint): void {
  const leftBytes = fileBytes - offset;
  const sentBytes = limit === 0n || limit > leftBytes ? leftBytes : limit;
  if (sentBytes > MAX_BYTES) {
    throw invalidArgument([
      {
        field: "limit",
        reason: "FILE_TOO_LARGE",
        description: `Must be at most ${MAX_BYTES} bytes (100 MiB) of this file of ${fileBytes}; read it in parts.`,
      },
    ]);
  }
}
