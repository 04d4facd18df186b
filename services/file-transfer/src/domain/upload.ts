import { invalidArgument, MAX_INLINE_FILE_BYTES, type WriteFileHeader } from "@codemesh/api";

// What is counted is what came, never what was announced: the header is the caller's word, checked when it is given.

/** How much of an upload has come, and what its header promised. */
export interface Upload {
  readonly receivedBytes: number;
  /** `undefined` when the header did not say. */
  readonly declaredBytes: bigint | undefined;
  /** 32 bytes, or none when the header did not say. */
  readonly declaredSha256: Uint8Array;
}

/** An upload of which nothing has come yet. */
export function beginUpload(header: WriteFileHeader): Upload {
  return { receivedBytes: 0, declaredBytes: header.sizeBytes, declaredSha256: header.sha256 };
}

/** The upload after a chunk; refuses the chunk that is too much with `FILE_TOO_LARGE` or `SIZE_MISMATCH`. */
export function advance(upload: Upload, chunkBytes: number): Upload {
  const receivedBytes = upload.receivedBytes + chunkBytes;
  if (receivedBytes > MAX_INLINE_FILE_BYTES) {
    throw invalidArgument([
      {
        field: "chunk",
        reason: "FILE_TOO_LARGE",
        description: `The content must be at most ${MAX_INLINE_FILE_BYTES} bytes (100 MiB); more came.`,
      },
    ]);
  }
  if (upload.declaredBytes !== undefined && BigInt(receivedBytes) > upload.declaredBytes) {
    throw sizeMismatch(upload.declaredBytes, "more came");
  }
  return { ...upload, receivedBytes };
}

/** Refuses an upload that ended otherwise than its header promised: `SIZE_MISMATCH`, `CHECKSUM_MISMATCH`. */
export function requireComplete(upload: Upload, sha256: Uint8Array): void {
  const { declaredBytes, declaredSha256, receivedBytes } = upload;
  if (declaredBytes !== undefined && declaredBytes !== BigInt(receivedBytes)) {
    throw sizeMismatch(declaredBytes, `${receivedBytes} came`);
  }
  if (declaredSha256.length > 0 && !declaredSha256.every((byte, index) => byte === sha256[index])) {
    throw invalidArgument([
      {
        field: "header.sha256",
        reason: "CHECKSUM_MISMATCH",
        description: "Must be the SHA-256 of the content; other bytes came.",
      },
    ]);
  }
}

function sizeMismatch(declaredBytes: bigint, came: string) {
  return invalidArgument([
    {
      field: "header.size_bytes",
      reason: "SIZE_MISMATCH",
      description: `Must be the size of the content; it says ${declaredBytes} bytes and ${came}.`,
    },
  ]);
}
