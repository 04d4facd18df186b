import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { drained, frames, MAX_FRAME_BYTES, writeChunk, writeFrame } from "@codemesh/link";
import { pythonCommand, type SessionEnvironment } from "./environment.js";
import { type KernelMessage, KernelProcess } from "./kernel-process.js";
import { newRunning, type Running } from "./running.js";

// One interpreter and its stream to the executor.
//
//   starting → idle ⇄ running → (dead) → starting
//
// C1. Everything a program wrote is sent before its Ended.
// C2. A program gets at most one Ended, and no event after it; a new interpreter is ready only after that.
// C3. While the executor does not read, the pipes are not read, and the program's writes wait.
// C4. What is written while no program runs waits in the pipes and comes first in the output of the next.
// C5. SIGINT is sent between the program's "began" and its "ended" only.

const { ContextEventSchema, ContextRequestSchema, Ending } = linkpb;
/** An interpreter that died before it was ready is not started again at once, ms. */
const FAILED_START_WAIT_MS = 1_000;
/** The largest message of the executor: a source of 1 MiB and what is around it. */
const MAX_REQUEST_BYTES = MAX_FRAME_BYTES + 4096;

type Event = Exclude<MessageInitShape<typeof ContextEventSchema>["event"], undefined>;

export class Context {
  private readonly socket: Socket;
  private readonly environment: SessionEnvironment;
  private readonly onClosed: () => void;
  private kernel: KernelProcess;
  private running: Running | undefined;
  private environmentWaiters: (() => void)[] = [];
  private kernelState: "starting" | "ready" | "dead" = "starting";
  private closed = false;

  /** Starts an interpreter whose stream is `socket`; the context ends with the stream. */
  constructor(socket: Socket, environment: SessionEnvironment, onClosed: () => void) {
    this.socket = socket;
    this.environment = environment;
    this.onClosed = onClosed;
    this.kernel = this.startKernel();
    void this.serve();
  }

  /** Settles when the interpreter has these variables. */
  setEnvironment(variables: Readonly<Record<string, string>>): Promise<void> {
    if (this.closed || this.kernelState === "dead") {
      // The next interpreter starts with them.
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.environmentWaiters.push(resolve);
      this.kernel.send({ op: "environment", variables });
    });
  }

  private async serve(): Promise<void> {
    try {
      for await (const { request } of frames(this.socket, ContextRequestSchema, MAX_REQUEST_BYTES)) {
        switch (request.case) {
          case "run":
            if (this.running !== undefined) {
              throw new Error("a program was sent while another runs");
            }
            this.run(request.value);
            break;
          case "interrupt":
            this.interrupt(request.value.execution);
            break;
          case "kill":
            this.kill(request.value.execution);
            break;
          case undefined:
            break;
        }
      }
    } catch {
      // A broken stream ends the context as a closed one does.
    }
    this.closed = true;
    this.socket.destroy();
    this.kernel.close();
    this.settleEnvironment();
    this.onClosed();
  }

  private startKernel(): KernelProcess {
    this.kernelState = "starting";
    return new KernelProcess(pythonCommand(), this.environment.current, {
      onMessage: (message) => this.onMessage(message),
      onExit: (how) => this.onExit(how),
    });
  }

  private run({ execution, source }: linkpb.Run): void {
    this.running = newRunning(execution, source);
    this.give(this.running);
  }

  /** One that comes while the interpreter is being started anew waits for it. */
  private give(running: Running): void {
    if (this.kernelState !== "ready") {
      return;
    }
    running.given = true;
    const marker = `\u0000\u001e${randomBytes(16).toString("hex")}\u001e\u0000`;
    for (const stream of ["stdout", "stderr"] as const) {
      running.openPipes += 1;
      this.kernel[stream].follow(Buffer.from(marker), {
        onData: (chunk) => this.sendOutput(running.execution, stream, chunk),
        onEnd: () => {
          running.openPipes -= 1;
          this.endIfOver(running);
        },
      });
    }
    this.kernel.send({ op: "run", source: running.source, marker });
  }

  private interrupt(execution: bigint): void {
    const { running } = this;
    if (running?.execution !== execution || running.ended !== undefined) {
      return;
    }
    running.interrupted = true;
    if (running.began) {
      this.kernel.interrupt();
    }
  }

  private kill(execution: bigint): void {
    const { running } = this;
    if (running?.execution !== execution || running.ended !== undefined) {
      return;
    }
    running.killed = true;
    this.kernel.kill();
  }

  private onMessage(message: KernelMessage): void {
    const { running } = this;
    switch (message.event) {
      case "ready":
        this.kernelState = "ready";
        this.send(0n, { case: "ready", value: {} });
        if (running !== undefined) {
          this.give(running);
        }
        return;
      case "done":
        this.environmentWaiters.shift()?.();
        return;
      case "began":
        if (running !== undefined) {
          running.began = true;
          // An interrupt that came before the program did.
          if (running.interrupted) {
            this.kernel.interrupt();
          }
        }
        return;
      case "value":
        running?.values.push(message.forms);
        return;
      case "ended":
        if (running !== undefined) {
          running.ended = { ending: message.error === null ? Ending.COMPLETED : Ending.RAISED, error: message.error };
          this.kernel.stdout.hurry();
          this.kernel.stderr.hurry();
          this.endIfOver(running);
        }
        return;
    }
  }

  private onExit(how: string): void {
    if (this.closed) {
      return;
    }
    const failedStart = this.kernelState === "starting";
    this.kernelState = "dead";
    this.settleEnvironment();
    this.kernel.stdout.finishSoon();
    this.kernel.stderr.finishSoon();
    const { running } = this;
    // One that the interpreter never had runs in the next.
    if (running !== undefined && (running.given || running.killed)) {
      running.ended ??= {
        ending: Ending.INTERPRETER_DIED,
        error: { name: "InterpreterDied", message: `The interpreter ended: ${how}.`, traceback: "" },
      };
      this.endIfOver(running);
    } else {
      this.restart(failedStart ? FAILED_START_WAIT_MS : 0);
    }
  }

  private restart(waitMs: number): void {
    setTimeout(() => {
      if (!this.closed) {
        this.kernel.close();
        this.kernel = this.startKernel();
      }
    }, waitMs);
  }

  private endIfOver(running: Running): void {
    if (this.running !== running || running.ended === undefined || running.openPipes > 0) {
      return;
    }
    this.running = undefined;
    for (const forms of running.values) {
      this.send(running.execution, {
        case: "result",
        value: {
          representations: forms.map(([mediaType, text]) => ({ mediaType, content: { case: "text", value: text } })),
        },
      });
    }
    const { ending, error } = running.ended;
    this.send(running.execution, { case: "ended", value: { ending, ...(error === null ? {} : { error }) } });
    if (this.kernelState === "dead") {
      this.restart(0);
    }
  }

  private send(execution: bigint, event: Event): void {
    if (!this.closed) {
      this.wrote(writeFrame(this.socket, ContextEventSchema, create(ContextEventSchema, { execution, event })));
    }
  }

  private sendOutput(execution: bigint, stream: "stdout" | "stderr", chunk: Buffer): void {
    if (!this.closed) {
      this.wrote(writeChunk(this.socket, ContextEventSchema, create(ContextEventSchema, { execution }), stream, chunk));
    }
  }

  private wrote(canTakeMore: boolean): void {
    if (canTakeMore) {
      return;
    }
    const { kernel } = this;
    kernel.stdout.pause();
    kernel.stderr.pause();
    void drained(this.socket).then(() => {
      kernel.stdout.resume();
      kernel.stderr.resume();
    });
  }

  private settleEnvironment(): void {
    for (const resolve of this.environmentWaiters.splice(0)) {
      resolve();
    }
  }
}
