import type { Socket } from "node:net";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { chunkFrameHead, encodeFrame, FrameReader } from "./frames.js";

/** Writes a message; `false` means the far side is slow: wait for `drained` before the next. */
export function writeFrame<Desc extends DescMessage>(
  socket: Socket,
  schema: Desc,
  message: MessageShape<Desc>,
): boolean {
  return socket.write(encodeFrame(schema, message));
}

/**
 * Writes the message that is `rest` with `chunk` in a field of bytes, without copying the chunk: it is the socket's until
 * `written` is called, which is also when the socket closes. `false` as with `writeFrame`.
 */
export function writeChunk<Desc extends DescMessage>(
  socket: Socket,
  schema: Desc,
  rest: MessageShape<Desc>,
  field: string,
  chunk: Uint8Array,
  written?: () => void,
): boolean {
  socket.cork();
  socket.write(chunkFrameHead(schema, rest, field, chunk.length));
  const canTakeMore = socket.write(chunk, written);
  socket.uncork();
  return canTakeMore;
}

/** Settles when the socket takes more, or is closed. */
export function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}

/**
 * The messages of a connection, read only as fast as they are taken; ends when the far side ends, throws FrameError for
 * bytes that are no message. Leaving the loop does not close the socket.
 */
export async function* frames<Desc extends DescMessage>(
  socket: Socket,
  schema: Desc,
  maxFrameBytes: number,
): AsyncGenerator<MessageShape<Desc>> {
  const reader = new FrameReader(schema, { maxFrameBytes });
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    yield* reader.push(chunk as Uint8Array);
  }
}
