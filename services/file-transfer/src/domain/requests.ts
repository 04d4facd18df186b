import {
  invalidArgument,
  type ListFilesRequest,
  MAX_INLINE_FILE_BYTES,
  pathViolation,
  type ReadFileRequest,
  type RemoveFileRequest,
  sessionNameViolation,
  type Violation,
  type WriteFileHeader,
  type WriteFileRequest,
} from "@codemesh/api";
import { nameFromPageToken } from "./page.js";

const SHA256_BYTES = 32;

type Findings = readonly (Violation | undefined)[];

/** The header that an upload begins with; refuses anything else with `HEADER_MISSING`, and a header with wrong fields. */
export function headerOf(first: WriteFileRequest | undefined): WriteFileHeader {
  if (first?.part.case !== "header") {
    throw invalidArgument([
      { field: "header", reason: "HEADER_MISSING", description: "Must be set in the first message of the stream." },
    ]);
  }
  const header = first.part.value;
  requireNone([
    sessionNameViolation("header.session", header.session),
    pathViolation("header.path", header.path),
    negative("header.size_bytes", header.sizeBytes ?? 0n),
    tooLarge("header.size_bytes", header.sizeBytes ?? 0n),
    header.sha256.length === 0 || header.sha256.length === SHA256_BYTES
      ? undefined
      : { field: "header.sha256", reason: "SHA256_INVALID", description: `Must be ${SHA256_BYTES} bytes, or absent.` },
  ]);
  return header;
}

/** The bytes of a message after the header; refuses a message that has none. */
export function chunkOf(request: WriteFileRequest): Uint8Array {
  if (request.part.case !== "chunk") {
    throw invalidArgument([
      { field: "chunk", reason: "CHUNK_MISSING", description: "Must be set in every message after the header." },
    ]);
  }
  return request.part.value;
}

/** Refuses a read with wrong fields. */
export function checkReadFile(request: ReadFileRequest): void {
  requireNone([
    sessionNameViolation("session", request.session),
    pathViolation("path", request.path),
    negative("offset", request.offset),
    negative("limit", request.limit),
  ]);
}

/** Refuses a listing with wrong fields. */
export function checkListFiles(request: ListFilesRequest): void {
  requireNone([
    sessionNameViolation("session", request.session),
    request.path === "" ? undefined : pathViolation("path", request.path),
    negative("page_size", BigInt(request.pageSize)),
    nameFromPageToken(request.pageToken) === undefined
      ? {
          field: "page_token",
          reason: "PAGE_TOKEN_INVALID",
          description: "Must be the next_page_token of the page before, or empty.",
        }
      : undefined,
  ]);
}

/** Refuses a removal with wrong fields. */
export function checkRemoveFile(request: RemoveFileRequest): void {
  requireNone([sessionNameViolation("session", request.session), pathViolation("path", request.path)]);
}

function requireNone(findings: Findings): void {
  const [first, ...others] = findings.filter((finding) => finding !== undefined);
  if (first !== undefined) {
    throw invalidArgument([first, ...others]);
  }
}

function negative(field: string, value: bigint): Violation | undefined {
  return value >= 0n ? undefined : { field, reason: "NUMBER_NEGATIVE", description: "Must be 0 or more." };
}

function tooLarge(field: string, sizeBytes: bigint): Violation | undefined {
  return sizeBytes <= BigInt(MAX_INLINE_FILE_BYTES)
    ? undefined
    : {
        field,
        reason: "FILE_TOO_LARGE",
        description: `Must be at most ${MAX_INLINE_FILE_BYTES} bytes (100 MiB); this is ${sizeBytes}.`,
      };
}
