import { FileType, Refusal, type SandboxFileService } from "@codemesh/api";
import { Code, type ServiceImpl } from "@connectrpc/connect";

/** What an executor was sent of one file. */
export interface Put {
  path: string;
  readonly chunkBytes: number[];
  /** As the end said; `undefined` when there was no end. */
  sha256: Uint8Array | undefined;
  /** Settles when the call is over. */
  readonly over: Promise<void>;
}

/** The executor at the far side of file-transfer: it holds one file and notes what it is sent. */
export interface FarExecutor {
  readonly service: ServiceImpl<typeof SandboxFileService>;
  puts: Put[];
  stored: Uint8Array;
  /** The size that a read reports instead of that of `stored`. */
  reportedBytes: bigint | undefined;
  /** Of the latest read. */
  readSignal: AbortSignal | undefined;
}

/** An executor that has seen nothing yet. */
export function createFarExecutor(): FarExecutor {
  const far: FarExecutor = {
    service: {
      async putFile(requests) {
        const { promise: over, resolve } = Promise.withResolvers<void>();
        const put: Put = { path: "", chunkBytes: [], sha256: undefined, over };
        far.puts.push(put);
        try {
          for await (const { part } of requests) {
            if (part.case === "header") {
              put.path = part.value.path;
              if (put.path === "full") {
                throw new Refusal(Code.ResourceExhausted, "WORKSPACE_FULL", "The workspace is full.");
              }
            } else if (part.case === "chunk") {
              put.chunkBytes.push(part.value.length);
            } else if (part.case === "end") {
              put.sha256 = part.value.sha256;
            }
          }
          return { file: { path: put.path, type: FileType.REGULAR } };
        } finally {
          resolve();
        }
      },
      async *getFile({ path, limit }, context) {
        far.readSignal = context.signal;
        const sizeBytes = far.reportedBytes ?? BigInt(far.stored.length);
        yield { part: { case: "file", value: { path, sizeBytes } } };
        for (let at = 0; at < Math.min(far.stored.length, Number(limit)); at += 1000) {
          yield { part: { case: "chunk", value: far.stored.subarray(at, Math.min(at + 1000, Number(limit))) } };
        }
      },
      listDirectory({ path, limit, after }) {
        const names = ["a", "b", "ü"].filter((name) => name > after);
        return {
          files: names.slice(0, limit).map((name) => ({ path: path === "" ? name : `${path}/${name}` })),
          more: names.length > limit,
        };
      },
      removeEntry({ path }) {
        throw new Refusal(Code.NotFound, "FILE_NOT_FOUND", `There is no ${path}.`);
      },
    },
    puts: [],
    stored: new Uint8Array(),
    reportedBytes: undefined,
    readSignal: undefined,
  };
  return far;
}
