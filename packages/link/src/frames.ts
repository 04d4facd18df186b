import { type DescField, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

// A frame is the length of a message (varint, at most 5 bytes) and the message. The reader believes nothing: a length is
// checked before a byte is kept for it, and messages are views of the received bytes where those lie in one piece.

/** The bytes are no frame; the connection they came over is of no more use. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

const MAX_LENGTH_BYTES = 5;
const MORE = 0x80;

/** A message as a frame. */
export function encodeFrame<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  const body = toBinary(schema, message);
  const frame = Buffer.allocUnsafe(varintBytes(body.length) + body.length);
  frame.set(body, writeVarint(frame, 0, body.length));
  return frame;
}

/**
 * All of a frame but the chunk at its end: the frame of the message that is `rest` with a chunk of so many bytes in the
 * field of that name. The order of fields in a message is free, so one of them can be last.
 */
export function chunkFrameHead<Desc extends DescMessage>(
  schema: Desc,
  rest: MessageShape<Desc>,
  field: string,
  chunkBytes: number,
): Uint8Array {
  const tag = ((schema.field[field] as DescField).number << 3) | WireType.LengthDelimited;
  const body = toBinary(schema, rest);
  const fieldBytes = varintBytes(tag) + varintBytes(chunkBytes);
  const length = body.length + fieldBytes + chunkBytes;
  const head = Buffer.allocUnsafe(varintBytes(length) + body.length + fieldBytes);
  const bodyAt = writeVarint(head, 0, length);
  head.set(body, bodyAt);
  writeVarint(head, writeVarint(head, bodyAt + body.length, tag), chunkBytes);
  return head;
}

/** Returns where it ends. */
function writeVarint(target: Uint8Array, begin: number, value: number): number {
  let at = begin;
  let rest = value;
  while (rest >= MORE) {
    target[at++] = (rest % MORE) | MORE;
    rest = Math.floor(rest / MORE);
  }
  target[at++] = rest;
  return at;
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= MORE; rest = Math.floor(rest / MORE)) {
    count += 1;
  }
  return count;
}

/** Cuts a byte stream into messages. */
export class FrameReader<Desc extends DescMessage> {
  private readonly schema: Desc;
  private readonly maxFrameBytes: number;
  private kept: Uint8Array[] = [];
  private keptBytes = 0;
  /** How many bytes the next step needs; until then they are only kept, so that a slow sender costs no copying. */
  private neededBytes = 1;

  constructor(schema: Desc, options: { readonly maxFrameBytes: number }) {
    this.schema = schema;
    this.maxFrameBytes = options.maxFrameBytes;
  }

  /** The messages that are complete with this chunk; throws FrameError for a frame too large or not of the schema. */
  push(chunk: Uint8Array): MessageShape<Desc>[] {
    if (chunk.length === 0) {
      return [];
    }
    this.kept.push(chunk);
    this.keptBytes += chunk.length;
    if (this.keptBytes < this.neededBytes) {
      return [];
    }
    let bytes = this.kept.length === 1 ? chunk : Buffer.concat(this.kept, this.keptBytes);
    const messages: MessageShape<Desc>[] = [];
    for (;;) {
      const head = readLength(bytes);
      if (head === undefined) {
        this.neededBytes = bytes.length + 1;
        break;
      }
      if (head.length > this.maxFrameBytes) {
        throw new FrameError(`a frame of ${head.length} bytes is over the limit of ${this.maxFrameBytes}`);
      }
      const end = head.size + head.length;
      if (bytes.length < end) {
        this.neededBytes = end;
        break;
      }
      messages.push(this.decode(bytes.subarray(head.size, end)));
      bytes = bytes.subarray(end);
    }
    this.kept = bytes.length > 0 ? [bytes] : [];
    this.keptBytes = bytes.length;
    return messages;
  }

  /** Bytes kept that are not yet a whole message. */
  get pendingBytes(): number {
    return this.keptBytes;
  }

  private decode(body: Uint8Array): MessageShape<Desc> {
    try {
      return fromBinary(this.schema, body);
    } catch (cause) {
      throw new FrameError(`a frame is not a ${this.schema.typeName}`, { cause });
    }
  }
}

/** The length at the head of these bytes and how many bytes tell it; `undefined` while some are missing. */
function readLength(bytes: Uint8Array): { length: number; size: number } | undefined {
  let length = 0;
  for (let index = 0; index < MAX_LENGTH_BYTES; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) {
      return undefined;
    }
    length += (byte & ~MORE) * MORE ** index;
    if (byte < MORE) {
      return { length, size: index + 1 };
    }
  }
  throw new FrameError("a frame's length has no end");
}
