import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReadFileRequest, ReadFileResponseSchema } from "@codemesh/api";
import { callerOf, forward } from "@codemesh/service-kit";
import type { HandlerContext } from "@connectrpc/connect";
import { bytesToAsk, requireInlineSize } from "./domain/download.js";
import { checkReadFile } from "./domain/requests.js";
import { errorOfExecutor, type SandboxFiles } from "./sandbox-files.js";

/** Streams a file out of a sandbox; the checksum at the end is of what was sent, computed on this host. */
export async function* readFile(
  sandboxes: SandboxFiles,
  request: ReadFileRequest,
  context: HandlerContext,
): AsyncGenerator<MessageInitShape<typeof ReadFileResponseSchema>> {
  checkReadFile(request);
  const { session, path, offset, limit } = request;
  const sandbox = await sandboxes.clientOf(callerOf(context).tenant, session);
  // Leaving the loop below does not end the call to the executor; this does.
  const leaving = new AbortController();
  const hash = createHash("sha256");
  const askedBytes = bytesToAsk(limit);
  let sentBytes = 0n;
  try {
    const parts = sandbox.getFile(
      { session, path, offset, limit: askedBytes },
      { ...forward(context), signal: AbortSignal.any([context.signal, leaving.signal]) },
    );
    for await (const { part } of parts) {
      if (part.case === "file") {
        requireInlineSize(part.value.sizeBytes, offset, limit);
        yield { part };
      } else if (part.case === "chunk") {
        sentBytes += BigInt(part.value.length);
        if (sentBytes > askedBytes) {
          throw new Error(`the executor sent more than the ${askedBytes} bytes it was asked for`);
        }
        hash.update(part.value);
        yield { part };
      }
    }
    yield { part: { case: "end", value: { sizeBytes: sentBytes, sha256: hash.digest() } } };
  } catch (error) {
    throw errorOfExecutor(error);
  } finally {
    leaving.abort();
  }
}
