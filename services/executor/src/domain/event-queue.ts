// What an execution has said and its caller has not yet taken.
//
//   Q1. Bytes come out in the order and number they went in, per stream; events come out in order.
//   Q2. A piece of output is at most 64 KiB and never ends within a UTF-8 character of well-formed text.
//   Q3. Nothing is held back for the sake of larger pieces: pieces are joined only if both are there already.

/** The largest piece of output, bytes. */
export const MAX_OUTPUT_BYTES = 64 << 10;
/** What an event weighs beside its bytes, so that many tiny ones count too. */
const EVENT_WEIGHT_BYTES = 128;

export type OutputStream = "stdout" | "stderr";

export type Queued<E> =
  | { readonly kind: OutputStream; readonly data: Uint8Array }
  | { readonly kind: "event"; readonly event: E };

/** Output and other events, waiting to be taken. */
export class EventQueue<E> {
  #items: Queued<E>[] = [];
  #head = 0;
  #weightBytes = 0;
  /** The beginning of a character whose rest has not come yet. */
  readonly #rest: Record<OutputStream, Uint8Array> = { stdout: new Uint8Array(), stderr: new Uint8Array() };

  /** How much memory it holds, roughly, bytes. */
  get weightBytes(): number {
    return this.#weightBytes;
  }

  /** Adds output as it arrived, cut anywhere. */
  addOutput(kind: OutputStream, data: Uint8Array): void {
    let left = this.#rest[kind].length === 0 ? data : joined([this.#rest[kind], data]);
    while (left.length > MAX_OUTPUT_BYTES) {
      const length = wholeCharacters(left.subarray(0, MAX_OUTPUT_BYTES));
      this.#add({ kind, data: left.subarray(0, length) });
      left = left.subarray(length);
    }
    const length = wholeCharacters(left);
    if (length > 0) {
      this.#add({ kind, data: left.subarray(0, length) });
    }
    this.#rest[kind] = left.slice(length);
  }

  /** Adds an event that is not output. */
  addEvent(event: E): void {
    this.#add({ kind: "event", event });
  }

  /** Says that no more output will come: what waits for the rest of a character waits no longer. */
  endOutput(): void {
    for (const kind of ["stdout", "stderr"] as const) {
      if (this.#rest[kind].length > 0) {
        this.#add({ kind, data: this.#rest[kind] });
        this.#rest[kind] = new Uint8Array();
      }
    }
  }

  /** The next event, or as much output of one stream as there is, up to 64 KiB. */
  take(): Queued<E> | undefined {
    const first = this.#shift();
    if (first === undefined || first.kind === "event") {
      return first;
    }
    const pieces = [first.data];
    let sizeBytes = first.data.length;
    for (;;) {
      const next = this.#items[this.#head];
      if (next === undefined || next.kind !== first.kind || sizeBytes + next.data.length > MAX_OUTPUT_BYTES) {
        return pieces.length === 1 ? first : { kind: first.kind, data: joined(pieces) };
      }
      sizeBytes += next.data.length;
      pieces.push(next.data);
      this.#shift();
    }
  }

  /** Forgets everything in it. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#weightBytes = 0;
  }

  #add(item: Queued<E>): void {
    this.#items.push(item);
    this.#weightBytes += weightOf(item);
  }

  #shift(): Queued<E> | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) {
      return undefined;
    }
    this.#head++;
    this.#weightBytes -= weightOf(item);
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return item;
  }
}

function weightOf(item: Queued<unknown>): number {
  return EVENT_WEIGHT_BYTES + (item.kind === "event" ? 0 : item.data.length);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.length;
  }
  return all;
}

/** How many bytes to take so that no UTF-8 character is cut; what is not UTF-8 may be cut anywhere. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) !== 0x80) {
      return characterLength(byte) > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function characterLength(firstByte: number): number {
  if (firstByte < 0xc2 || firstByte > 0xf4) {
    return 1;
  }
  return firstByte < 0xe0 ? 2 : firstByte < 0xf0 ? 3 : 4;
}
