import type { Socket } from "node:net";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { encodeFrame, FrameReader } from "./frames.js";

/** Writes a message; `false` means the far side is slow: wait for `drained` before the next. */
export function writeFrame<Desc extends DescMessage>(
  socket: Socket,
  schema: Desc,
  message: MessageShape<Desc>,
): boolean {
  return socket.write(encodeFrame(schema, message));
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
