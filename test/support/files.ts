import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type File,
  MAX_CHUNK_BYTES,
  type ReadFileEnd,
  type WriteFileRequestSchema,
  type WriteFileResponse,
} from "@codemesh/api";
import { type Clients, clients } from "./clients.js";

export type UploadPart = MessageInitShape<typeof WriteFileRequestSchema>;

export interface WriteOptions {
  /** What the header says of the size; absent means nothing. */
  readonly sizeBytes?: number;
  /** What the header says of the checksum; absent means nothing. */
  readonly sha256?: Uint8Array;
  readonly by?: Clients;
}

/** A file as ReadFile streams it. */
export interface Download {
  readonly file: File;
  readonly content: Buffer;
  readonly end: ReadFileEnd;
}

/** SHA-256 of bytes, 32 bytes. */
export function sha256(content: Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}

/** The header of an upload. */
export function header(session: string, path: string, { sizeBytes, sha256 }: WriteOptions = {}): UploadPart {
  return {
    part: {
      case: "header",
      value: {
        session,
        path,
        ...(sizeBytes === undefined ? {} : { sizeBytes: BigInt(sizeBytes) }),
        ...(sha256 === undefined ? {} : { sha256 }),
      },
    },
  };
}

/** A chunk of an upload. */
export function chunk(value: Uint8Array): UploadPart {
  return { part: { case: "chunk", value } };
}

/** The chunks that content is sent in. */
export function* chunksOf(content: Uint8Array): Generator<UploadPart> {
  for (let offset = 0; offset < content.length; offset += MAX_CHUNK_BYTES) {
    yield chunk(content.subarray(offset, offset + MAX_CHUNK_BYTES));
  }
}

/** Uploads content as a file. */
export async function write(
  session: string,
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): Promise<WriteFileResponse> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  async function* parts(): AsyncGenerator<UploadPart> {
    yield header(session, path, options);
    yield* chunksOf(bytes);
  }
  return (options.by ?? clients()).files.writeFile(parts());
}

/** Downloads a file, or a part of it. */
export async function read(
  session: string,
  path: string,
  { offset = 0, limit = 0, by = clients() }: { offset?: number; limit?: number; by?: Clients } = {},
): Promise<Download> {
  let file: File | undefined;
  let end: ReadFileEnd | undefined;
  const chunks: Uint8Array[] = [];
  for await (const { part } of by.files.readFile({
    session,
    path,
    offset: BigInt(offset),
    limit: BigInt(limit),
  })) {
    switch (part.case) {
      case "file":
        file = part.value;
        break;
      case "chunk":
        chunks.push(part.value);
        break;
      case "end":
        end = part.value;
        break;
      case undefined:
        throw new Error("A part of the download says nothing.");
    }
  }
  if (file === undefined || end === undefined) {
    throw new Error("The download has no header or no end.");
  }
  return { file, content: Buffer.concat(chunks), end };
}

/** The paths in a directory of the workspace. */
export async function pathsIn(session: string, path = "", by: Clients = clients()): Promise<string[]> {
  const { files } = await by.files.listFiles({ session, path });
  return files.map((file) => file.path);
}
