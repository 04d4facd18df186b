import { Socket } from "node:net";

// The reading end of a program's standard output or error. The kernel ends each program with a marker in the pipe itself,
// so what comes before it is the program's and nothing of it is missed, however much the pipe still held. Text is not cut
// within a character: up to three bytes wait for the rest of theirs.

export interface OutputPipeEvents {
  /** At most 64 KiB; `false` asks to stop reading until `resume`. */
  readonly onData: (chunk: Buffer) => void;
  /** The marker, or the end of the pipe. */
  readonly onEnd: () => void;
}

const MAX_PIECE_BYTES = 64 << 10;

export class OutputPipe {
  private readonly socket: Socket;
  private marker: Buffer | undefined;
  private held: Buffer = Buffer.alloc(0);
  private events: OutputPipeEvents | undefined;

  /** Takes over the descriptor of a pipe's reading end. Reads nothing until a program is followed. */
  constructor(fd: number) {
    this.socket = new Socket({ fd, readable: true, writable: false });
    this.socket.pause();
    this.socket.on("data", (chunk: Buffer) => this.take(chunk));
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("close", () => this.finish());
    this.socket.pause();
  }

  /** Hands over a program's output until its marker. What came before is handed over first. */
  follow(marker: Buffer, events: OutputPipeEvents): void {
    this.marker = marker;
    this.events = events;
    const held = this.held;
    this.held = Buffer.alloc(0);
    if (held.length > 0) {
      this.take(held);
    }
    this.resume();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (this.events === undefined) {
      return;
    }
    if (this.socket.destroyed) {
      this.finish();
    } else {
      this.socket.resume();
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    const { marker } = this;
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    if (marker === undefined) {
      this.held = bytes;
      this.socket.pause();
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
    this.socket.pause();
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
