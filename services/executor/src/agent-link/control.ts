import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { FrameReader, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { unreachable } from "./unavailable.js";
import { LinkViolation } from "./violation.js";

const SECRET_BYTES = 32;
const MAX_LATE_CALLS = 64;

/** What may be asked of the agent in one short call. */
export type Work = NonNullable<MessageInitShape<typeof linkpb.CallSchema>["work"]>;
type Request = NonNullable<MessageInitShape<typeof linkpb.ControlRequestSchema>["request"]>;

interface Pending {
  readonly settle: (reply: linkpb.ControlReply | Error) => void;
  readonly limit: NodeJS.Timeout;
}

export interface ControlEvents {
  /** The agent has dialled, for the first time or again. */
  readonly connected: () => void;
  /** The connection is gone; the agent may dial again. */
  readonly lost: () => void;
  /** The agent broke the rules. */
  readonly violated: (violation: LinkViolation) => void;
}

// The control connection: at most one at a time. The first is taken as it comes, before any user code runs; after that
// only who shows the secret that the first was given. Whoever shows it takes the place of the one before.

/** The control connection of one sandbox. */
export class Control {
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #calls = new Map<bigint, Pending>();
  readonly #late = new Set<bigint>();
  readonly #events: ControlEvents;
  #socket: Socket | undefined;
  #greeted = false;
  #lastCall = 0n;

  constructor(events: ControlEvents) {
    this.#events = events;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Takes a connection that shows this secret; false when it may not be control. */
  admit(socket: Socket, secret: Uint8Array): boolean {
    const known = this.#greeted && secret.length === SECRET_BYTES && timingSafeEqual(secret, this.#secret);
    if (!known && (this.#greeted || secret.length !== 0)) {
      return false;
    }
    this.#greeted = true;
    this.#socket?.destroy();
    this.#socket = socket;
    const replies = new FrameReader(linkpb.ControlReplySchema, { maxFrameBytes: MAX_FRAME_BYTES });
    socket.on("data", (chunk) => this.#receive(replies, chunk));
    socket.once("close", () => this.#lose(socket));
    this.send({ case: "welcome", value: { secret: this.#secret } });
    socket.resume();
    this.#events.connected();
    return true;
  }

  /** Asks for something that has no answer on this connection. */
  send(request: Request): void {
    if (this.#socket === undefined) {
      throw unreachable();
    }
    // Requests are few and small, and each is bounded by its caller: none waits for the socket to drain.
    writeFrame(this.#socket, linkpb.ControlRequestSchema, create(linkpb.ControlRequestSchema, { request }));
  }

  /** Has the agent do something short and gives its reply. */
  async call(work: Work, limitMs: number): Promise<linkpb.ControlReply> {
    const call = ++this.#lastCall;
    this.send({ case: "call", value: { call, work } });
    const reply = await new Promise<linkpb.ControlReply | Error>((settle) => {
      const limit = setTimeout(() => {
        this.#late.add(call);
        this.#settle(call, unreachable());
      }, limitMs);
      this.#calls.set(call, { settle, limit });
    });
    if (reply instanceof Error) {
      throw reply;
    }
    return reply;
  }

  /** Ends the connection and every call. */
  close(): void {
    this.#greeted = true;
    this.#socket?.destroy();
    this.#failCalls();
  }

  #receive(replies: FrameReader<typeof linkpb.ControlReplySchema>, chunk: Buffer): void {
    try {
      for (const reply of replies.push(chunk)) {
        if (!this.#settle(reply.call, reply) && !this.#late.delete(reply.call)) {
          throw new LinkViolation("a reply to no call");
        }
      }
      if (this.#late.size > MAX_LATE_CALLS) {
        throw new LinkViolation("too many calls were not answered in time");
      }
    } catch (cause) {
      this.#socket?.destroy();
      this.#events.violated(
        cause instanceof LinkViolation ? cause : new LinkViolation("bad bytes on the control connection", { cause }),
      );
    }
  }

  #settle(call: bigint, reply: linkpb.ControlReply | Error): boolean {
    const pending = this.#calls.get(call);
    if (pending === undefined) {
      return false;
    }
    clearTimeout(pending.limit);
    this.#calls.delete(call);
    pending.settle(reply);
    return true;
  }

  #lose(socket: Socket): void {
    if (this.#socket === socket) {
      this.#socket = undefined;
      this.#failCalls();
      this.#events.lost();
    }
  }

  #failCalls(): void {
    for (const call of [...this.#calls.keys()]) {
      this.#settle(call, unreachable());
    }
  }
}
