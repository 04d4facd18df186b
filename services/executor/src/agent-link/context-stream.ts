import type { Socket } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { linkpb, type ProgramError, type Result } from "@codemesh/api";
import { FrameReader, MAX_FRAME_BYTES, MAX_OUTPUT_BYTES, writeFrame } from "@codemesh/link";
import type { OutputStream } from "../domain/event-queue.js";
import { LinkViolation } from "./violation.js";

/** Where the events of one execution go. */
export interface ExecutionSink {
  output(stream: OutputStream, data: Uint8Array): void;
  result(result: Result): void;
  ended(ending: linkpb.Ending, error: ProgramError | undefined): void;
}

export interface ContextEvents {
  /** The interpreter can run code: it has started, or started anew. */
  readonly ready: () => void;
  /** The agent broke the rules, or closed the stream. */
  readonly violated: (violation: LinkViolation) => void;
}

type Request = NonNullable<MessageInitShape<typeof linkpb.ContextRequestSchema>["request"]>;

// The stream of one interpreter. What the agent may say on it:
//
//   ready                                        at any time
//   (stdout | stderr | result)* ended            after a Run, with that run's number
//
// Anything else ends the sandbox.

/** One interpreter in a sandbox, as its stream shows it. */
export class ContextStream {
  readonly #socket: Socket;
  #violated: (violation: LinkViolation) => void = () => {};
  #run = 0n;
  #sink: ExecutionSink | undefined;
  #closed = false;

  /** Takes over a paused socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Begins to read. */
  start(events: ContextEvents): void {
    this.#violated = (violation) => {
      if (!this.#closed) {
        this.close();
        events.violated(violation);
      }
    };
    const frames = new FrameReader(linkpb.ContextEventSchema, { maxFrameBytes: MAX_FRAME_BYTES });
    this.#socket.on("data", (chunk) => this.#receive(frames, chunk, events.ready));
    this.#socket.once("close", () => this.#violated(new LinkViolation("an interpreter's stream closed")));
    this.#socket.resume();
  }

  /** Runs a program and gives the number it is known by here. The one before has ended. */
  run(source: string, sink: ExecutionSink): bigint {
    this.#run++;
    this.#sink = sink;
    this.#socket.resume();
    this.#send({ case: "run", value: { execution: this.#run, source } });
    return this.#run;
  }

  /** Sends the execution SIGINT, if it still runs. */
  interrupt(execution: bigint): void {
    this.#send({ case: "interrupt", value: { execution } });
  }

  /** Kills the interpreter, if the execution still runs. */
  kill(execution: bigint): void {
    this.#send({ case: "kill", value: { execution } });
  }

  /** Reads no more until `resume`; the program then waits in its writes. */
  pause(): void {
    this.#socket.pause();
  }

  get paused(): boolean {
    return this.#socket.isPaused();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #send(request: Request): void {
    if (!this.#socket.destroyed) {
      writeFrame(this.#socket, linkpb.ContextRequestSchema, create(linkpb.ContextRequestSchema, { request }));
    }
  }

  #receive(frames: FrameReader<typeof linkpb.ContextEventSchema>, chunk: Buffer, ready: () => void): void {
    try {
      for (const event of frames.push(chunk)) {
        if (event.event.case === "ready") {
          ready();
        } else {
          this.#take(event);
        }
      }
    } catch (cause) {
      this.#violated(
        cause instanceof LinkViolation ? cause : new LinkViolation("bad bytes on an interpreter's stream", { cause }),
      );
    }
  }

  #take({ execution, event }: linkpb.ContextEvent): void {
    const sink = this.#sink;
    if (sink === undefined || execution !== this.#run) {
      throw new LinkViolation("an event of no running execution");
    }
    switch (event.case) {
      case "stdout":
      case "stderr":
        if (event.value.length === 0 || event.value.length > MAX_OUTPUT_BYTES) {
          throw new LinkViolation("a piece of output that is empty or larger than 64 KiB");
        }
        sink.output(event.case, event.value);
        break;
      case "result":
        sink.result(event.value);
        break;
      case "ended":
        if (event.value.ending === linkpb.Ending.UNSPECIFIED || !(event.value.ending in linkpb.Ending)) {
          throw new LinkViolation("an end without an ending");
        }
        this.#sink = undefined;
        sink.ended(event.value.ending, event.value.error);
        break;
      case "ready":
      case undefined:
        throw new LinkViolation("an event that does not exist");
    }
  }
}
