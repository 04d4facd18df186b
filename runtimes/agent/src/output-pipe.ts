import { Socket } from "node:net";

// The reading end of a program's standard output or error. The kernel ends each program with a marker in the pipe itself,
// so what comes before it is the program's and nothing of it is missed, however much the pipe still held. Text is not cut
// within a character: up to three bytes wait for the rest of theirs.
//
// A program that prints often is read now and then: the pipe gathers what it prints, and many small writes become few
// messages. One that prints seldom is read at once.

export interface OutputPipeEvents {
  /** At most 64 KiB, the receiver's to keep. */
  readonly onData: (chunk: Buffer) => void;
  /** The marker, or the end of the pipe. */
  readonly onEnd: () => void;
}

const MAX_PIECE_BYTES = 64 << 10;
/** A read of less is a small one. */
const SMALL_BYTES = 8 << 10;
/** So many small reads in a row go through at once. */
const PROMPT_READS = 8;
/** How long the pipe gathers between two reads, ms. */
const GATHER_MS = 3;
/** Small reads further apart than this are not a row, ms. */
const ROW_GAP_MS = 20;
/** The pipe of a dead interpreter that gives nothing for so long has nothing, ms. */
const DEAD_QUIET_MS = 200;

export class OutputPipe {
  private readonly socket: Socket;
  private marker: Buffer | undefined;
  private held: Buffer = Buffer.alloc(0);
  private events: OutputPipeEvents | undefined;
  private gathering: NodeJS.Timeout | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private smallReads = 0;
  private lastReadMs = 0;
  private paused = false;
  private dead = false;

  /** Takes over the descriptor of a pipe's reading end. Reads nothing until a program is followed. */
  constructor(fd: number) {
    // With a buffer of its own a socket that is paused reads nothing; others read on into a queue.
    this.socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.allocUnsafeSlow(MAX_PIECE_BYTES),
        callback: (size, buffer) => {
          this.take(Buffer.from(buffer.subarray(0, size)));
          return true;
        },
      },
    });
    this.socket.pause();
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("close", () => this.finish());
  }

  /** Hands over a program's output until its marker. What came before is handed over first. */
  follow(marker: Buffer, events: OutputPipeEvents): void {
    this.marker = marker;
    this.events = events;
    this.smallReads = 0;
    const { held } = this;
    this.held = Buffer.alloc(0);
    if (held.length > 0) {
      this.take(held);
    }
    this.flow();
  }

  /** Reads no more until `resume`; the program's writes wait. */
  pause(): void {
    this.paused = true;
    this.flow();
  }

  resume(): void {
    this.paused = false;
    this.flow();
  }

  /** The program is over: what the pipe gathers is wanted now. */
  hurry(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.smallReads = Number.NEGATIVE_INFINITY;
    this.flow();
  }

  /** The interpreter is dead: the end comes when the pipe is empty, though a stray process may hold it open. */
  finishSoon(): void {
    this.dead = true;
    this.hurry();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private flow(): void {
    clearTimeout(this.deadline);
    if (this.events === undefined || this.paused || this.gathering !== undefined) {
      this.socket.pause();
    } else if (this.socket.destroyed) {
      this.finish();
    } else {
      if (this.dead) {
        this.deadline = setTimeout(() => this.socket.destroy(), DEAD_QUIET_MS);
      }
      this.socket.resume();
    }
  }

  private take(chunk: Buffer): void {
    const { marker } = this;
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    if (marker === undefined) {
      this.held = bytes;
      return;
    }
    const at = bytes.indexOf(marker);
    if (at >= 0) {
      this.hand(bytes.subarray(0, at));
      this.held = bytes.subarray(at + marker.length);
      this.finish();
      return;
    }
    const end = bytes.length - unfinishedBytes(bytes, marker);
    this.held = bytes.subarray(end);
    this.hand(bytes.subarray(0, end));
    this.gather(chunk.length);
    this.flow();
  }

  private gather(readBytes: number): void {
    const nowMs = performance.now();
    this.smallReads = readBytes < SMALL_BYTES && nowMs - this.lastReadMs < ROW_GAP_MS ? this.smallReads + 1 : 0;
    this.lastReadMs = nowMs;
    if (this.smallReads >= PROMPT_READS) {
      this.gathering ??= setTimeout(() => {
        this.gathering = undefined;
        this.flow();
      }, GATHER_MS);
    }
  }

  private hand(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > MAX_PIECE_BYTES) {
      const size = MAX_PIECE_BYTES - unfinishedCharacterBytes(rest.subarray(0, MAX_PIECE_BYTES));
      this.events?.onData(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    if (rest.length > 0) {
      this.events?.onData(rest);
    }
  }

  private finish(): void {
    const { events } = this;
    if (events === undefined) {
      return;
    }
    if (this.socket.destroyed && this.held.length > 0) {
      this.hand(this.held);
      this.held = Buffer.alloc(0);
    }
    this.marker = undefined;
    this.events = undefined;
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.flow();
    events.onEnd();
  }
}

/** How many bytes at the end may be the beginning of the marker or of a character. */
function unfinishedBytes(bytes: Buffer, marker: Buffer): number {
  const first = marker[0] as number;
  const from = Math.max(0, bytes.length - marker.length + 1);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (marker.subarray(0, bytes.length - at).equals(bytes.subarray(at))) {
      return bytes.length - at;
    }
  }
  return unfinishedCharacterBytes(bytes);
}

/** How many bytes at the end are the beginning of a UTF-8 character whose rest is missing: 0 to 3. */
export function unfinishedCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc2 && byte <= 0xf4) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
    if (byte < 0x80 || byte > 0xbf) {
      return 0;
    }
  }
  return 0;
}
