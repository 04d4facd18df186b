import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  MAX_CHUNK_BYTES,
  type PutFileRequestSchema,
  type WriteFileHeader,
  type WriteFileRequest,
  type WriteFileResponseSchema,
} from "@codemesh/api";
import { callerOf, forward } from "@codemesh/service-kit";
import type { HandlerContext } from "@connectrpc/connect";
import { chunkOf, headerOf } from "./domain/requests.js";
import { advance, beginUpload, requireComplete } from "./domain/upload.js";
import { errorOfExecutor, type SandboxFiles } from "./sandbox-files.js";

/**
 * Streams a file into a sandbox.
 *
 * The executor lets the file appear when it is told the end. An upload that breaks off or fails a check is never told
 * one: its call to the executor is cancelled.
 */
export async function writeFile(
  sandboxes: SandboxFiles,
  requests: AsyncIterable<WriteFileRequest>,
  context: HandlerContext,
): Promise<MessageInitShape<typeof WriteFileResponseSchema>> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  const header = headerOf(first.done === true ? undefined : first.value);
  const sandbox = await sandboxes.clientOf(callerOf(context).tenant, header.session);
  const transfer: Transfer = { sha256: undefined, failure: undefined };
  try {
    const { file } = await sandbox.putFile(
      partsOf(header, { [Symbol.asyncIterator]: () => messages }, transfer, context.signal),
      forward(context),
    );
    if (file === undefined || transfer.sha256 === undefined) {
      throw new Error("the executor answered before it was told the end of the file");
    }
    return { file, sha256: transfer.sha256 };
  } catch (error) {
    // The cancelled call fails as well; what made it so is the better answer.
    throw transfer.failure ?? errorOfExecutor(error);
  }
}

interface Transfer {
  /** Of all the content; `undefined` until it has come and stood every check. */
  sha256: Uint8Array | undefined;
  /** Why the upload ended before that. */
  failure: unknown;
}

/** What the executor is sent; throws, which cancels the call, instead of sending an end that is not due. */
async function* partsOf(
  header: WriteFileHeader,
  requests: AsyncIterable<WriteFileRequest>,
  transfer: Transfer,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof PutFileRequestSchema>> {
  const hash = createHash("sha256");
  let upload = beginUpload(header);
  try {
    yield { part: { case: "header", value: { session: header.session, path: header.path } } };
    for await (const request of requests) {
      const bytes = chunkOf(request);
      upload = advance(upload, bytes.length);
      hash.update(bytes);
      for (let start = 0; start < bytes.length; start += MAX_CHUNK_BYTES) {
        yield { part: { case: "chunk", value: bytes.subarray(start, start + MAX_CHUNK_BYTES) } };
      }
    }
    signal.throwIfAborted();
    const sha256 = hash.digest();
    requireComplete(upload, sha256);
    transfer.sha256 = sha256;
    yield { part: { case: "end", value: { sizeBytes: BigInt(upload.receivedBytes), sha256 } } };
  } catch (error) {
    transfer.failure = error;
    throw error;
  }
}
