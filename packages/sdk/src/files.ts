import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type File, MAX_CHUNK_BYTES, type WriteFileRequestSchema } from "@codemesh/api";
import type { CodemeshClient } from "./client.js";
import { TransferError } from "./errors.js";

/** What a file is written from; text as UTF-8. */
export type FileContent = Uint8Array | string | AsyncIterable<Uint8Array>;

export interface ReadOptions {
  /** Where to begin, bytes from the start. */
  readonly offset?: number;
  /** How many bytes at most; absent means all, at most 100 MiB. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** The files of a session. Paths are relative to `/workspace`. */
export interface SessionFiles {
  /** Writes a file of at most 100 MiB, whole or not at all; its missing parent directories are made. */
  write(path: string, content: FileContent, options?: { readonly signal?: AbortSignal }): Promise<File>;
  /** The content of a file; throws TransferError when it arrives otherwise than it was sent. */
  read(path: string, options?: ReadOptions): Promise<Uint8Array>;
  /** The same, piece by piece. */
  readStream(path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** All entries of a directory, by name; absent means `/workspace` itself. */
  list(path?: string): Promise<File[]>;
  /** Removes a file, a link or a directory; `recursive` takes a directory with everything in it. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
}

/** The files of one session. */
export function filesOf(client: CodemeshClient, session: string): SessionFiles {
  const readStream = (path: string, options: ReadOptions = {}) => download(client, session, path, options);
  return {
    write: (path, content, options) => upload(client, session, path, content, options?.signal),
    async read(path, options) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readStream(path, options)) {
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
    readStream,
    async list(path = "") {
      const files: File[] = [];
      let pageToken = "";
      do {
        const page = await client.files.listFiles({ session, path, pageToken });
        files.push(...page.files);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return files;
    },
    async remove(path, options) {
      await client.files.removeFile({ session, path, recursive: options?.recursive ?? false });
    },
  };
}

async function upload(
  client: CodemeshClient,
  session: string,
  path: string,
  content: FileContent,
  signal: AbortSignal | undefined,
): Promise<File> {
  const hash = createHash("sha256");
  async function* parts(): AsyncGenerator<MessageInitShape<typeof WriteFileRequestSchema>> {
    const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
    if (whole instanceof Uint8Array) {
      const sha256 = hash.copy().update(whole).digest();
      yield { part: { case: "header", value: { session, path, sizeBytes: BigInt(whole.length), sha256 } } };
    } else {
      yield { part: { case: "header", value: { session, path } } };
    }
    for await (const bytes of whole instanceof Uint8Array ? [whole] : whole) {
      hash.update(bytes);
      for (let start = 0; start < bytes.length; start += MAX_CHUNK_BYTES) {
        yield { part: { case: "chunk", value: bytes.subarray(start, start + MAX_CHUNK_BYTES) } };
      }
    }
  }
  const { file, sha256 } = await client.files.writeFile(parts(), signal === undefined ? {} : { signal });
  if (file === undefined || !hash.digest().equals(sha256)) {
    throw new TransferError(`${path} was not written as it was sent; write it again.`);
  }
  return file;
}

async function* download(
  client: CodemeshClient,
  session: string,
  path: string,
  { offset = 0, limit = 0, signal }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  // Leaving the loop below does not end the call; this does.
  const leaving = new AbortController();
  try {
    const responses = client.files.readFile(
      { session, path, offset: BigInt(offset), limit: BigInt(limit) },
      { signal: signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]) },
    );
    for await (const { part } of responses) {
      if (part.case === "chunk") {
        hash.update(part.value);
        yield part.value;
      } else if (part.case === "end") {
        if (!hash.digest().equals(part.value.sha256)) {
          throw new TransferError(`${path} did not arrive as it was sent; read it again.`);
        }
        return;
      }
    }
    throw new TransferError(`${path} did not arrive to its end; read it again.`);
  } finally {
    leaving.abort();
  }
}
