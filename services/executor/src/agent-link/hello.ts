import type { Socket } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { LINK_PROTOCOL, MAX_HELLO_BYTES } from "@codemesh/link";
import { LinkViolation } from "./violation.js";

const HELLO_LIMIT_MS = 2_000;

/** What a connection says it is for. */
export type Purpose = Exclude<linkpb.Hello["purpose"], { case: undefined }>;

/**
 * The first message of a connection, which anything in the sandbox may have dialled: at most 256 bytes within 2 s.
 *
 * The socket is left paused, with everything after the first message still in it.
 */
export function readHello(socket: Socket): Promise<Purpose> {
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0);
    const limit = setTimeout(
      () => over(new LinkViolation("a connection did not say in time what it is for")),
      HELLO_LIMIT_MS,
    );
    const onClose = () => over(new LinkViolation("a connection closed before it said what it is for"));
    const onData = (chunk: Buffer) => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      try {
        const frame = firstFrame(head);
        if (frame !== undefined) {
          socket.pause();
          const purpose = purposeOf(frame.bytes);
          socket.off("data", onData);
          if (frame.rest.length > 0) {
            socket.unshift(frame.rest);
          }
          over(purpose);
        }
      } catch (error) {
        over(error instanceof LinkViolation ? error : new LinkViolation("a connection began with no Hello"));
      }
    };
    function over(result: Purpose | LinkViolation): void {
      clearTimeout(limit);
      socket.off("data", onData);
      socket.off("close", onClose);
      if (result instanceof LinkViolation) {
        reject(result);
      } else {
        resolve(result);
      }
    }
    socket.on("data", onData);
    socket.once("close", onClose);
  });
}

/** The first frame and what follows it; `undefined` while it is not complete. */
function firstFrame(head: Buffer): { bytes: Buffer; rest: Buffer } | undefined {
  // 256 takes two bytes as a varint.
  const first = head[0];
  const second = head[1];
  if (first === undefined || (first >= 0x80 && second === undefined)) {
    return undefined;
  }
  const lengthBytes = first < 0x80 ? 1 : 2;
  const length = first < 0x80 ? first : (first & 0x7f) | ((second as number) << 7);
  if (length > MAX_HELLO_BYTES) {
    throw new LinkViolation("a first message was larger than 256 bytes");
  }
  const end = lengthBytes + length;
  return head.length < end ? undefined : { bytes: head.subarray(lengthBytes, end), rest: head.subarray(end) };
}

function purposeOf(bytes: Uint8Array): Purpose {
  const hello = fromBinary(linkpb.HelloSchema, bytes);
  if (hello.protocol !== LINK_PROTOCOL || hello.purpose.case === undefined) {
    throw new LinkViolation("a connection speaks another protocol");
  }
  return hello.purpose;
}
