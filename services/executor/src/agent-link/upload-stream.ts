import type { Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { type File, linkpb, type Refusal } from "@codemesh/api";
import { drained, frames, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { refusalFromFileFailure } from "./file-failure.js";
import { brokenOff } from "./unavailable.js";

const STALL_LIMIT_MS = 30_000;
/** The largest piece in one frame, well below the largest frame. */
const MAX_PIECE_BYTES = 512 << 10;

/** A file on its way into a sandbox. */
export class UploadStream {
  readonly #socket: Socket;
  readonly #path: string;
  /** What the agent says about it, which may come before all was sent. */
  readonly #answer: Promise<linkpb.TransferEnd | undefined>;
  #answered = false;

  /** Takes over a paused socket. */
  constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    this.#answer = firstAnswer(socket).finally(() => {
      this.#answered = true;
    });
  }

  /** Sends the next bytes; settles when more may be sent. Throws once the agent has refused the file. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let start = 0; start < chunk.length; start += MAX_PIECE_BYTES) {
      if (this.#answered) {
        throw await this.#failure();
      }
      const piece = chunk.subarray(start, start + MAX_PIECE_BYTES);
      // Framed by hand: the bytes go to the socket as they are, without a copy.
      this.#socket.cork();
      this.#socket.write(pieceHeader(piece.length));
      const more = this.#socket.write(piece);
      this.#socket.uncork();
      if (!more) {
        await this.#within(Promise.race([drained(this.#socket), this.#answer]));
      }
    }
  }

  /** Says that all was sent, and gives the file as it is now. */
  async end(sizeBytes: bigint, sha256: Uint8Array): Promise<File> {
    if (!this.#answered) {
      const part = { case: "end" as const, value: { sizeBytes, sha256 } };
      writeFrame(this.#socket, linkpb.UploadPartSchema, create(linkpb.UploadPartSchema, { part }));
    }
    const answer = await this.#within(this.#answer);
    if (answer?.result.case === "file") {
      return answer.result.value;
    }
    throw await this.#failure();
  }

  /** Ends the connection; without an end no file appears. */
  close(): void {
    this.#socket.destroy();
  }

  async #failure(): Promise<Refusal> {
    const answer = await this.#answer;
    return answer?.result.case === "failure" ? refusalFromFileFailure(answer.result.value, this.#path) : brokenOff();
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const limit = setTimeout(() => this.#socket.destroy(), STALL_LIMIT_MS);
    try {
      return await work;
    } finally {
      clearTimeout(limit);
    }
  }
}

/** The agent's one message on an upload's stream; `undefined` when the stream breaks off. */
async function firstAnswer(socket: Socket): Promise<linkpb.TransferEnd | undefined> {
  try {
    for await (const answer of frames(socket, linkpb.TransferEndSchema, MAX_FRAME_BYTES)) {
      return answer;
    }
  } catch {
    // Bad bytes and a broken connection are the same here: no file.
  }
  return undefined;
}

/** Everything of a frame with an UploadPart's chunk before the bytes themselves. */
function pieceHeader(length: number): Buffer {
  const chunkField = [0x0a, ...varint(length)];
  return Buffer.from([...varint(chunkField.length + length), ...chunkField]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left >>>= 7) {
    bytes.push((left & 0x7f) | 0x80);
  }
  return [...bytes, left];
}
