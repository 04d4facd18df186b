import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { drained, frames, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { pythonCommand, type SessionEnvironment } from "./environment.js";
import { type KernelMessage, KernelProcess } from "./kernel-process.js";

// One interpreter and its stream to the executor.
//
//   starting → idle ⇄ running → (dead) → starting
//
// C1. Everything a program wrote is sent before its Ended.
// C2. A program gets at most one Ended, and no event after it.
// C3. While the executor does not read, the pipes are not read, and the program's writes wait.

const { ContextEventSchema, ContextRequestSchema, Ending } = linkpb;
const DEAD_DRAIN_MS = 500;
const RESTART_MS = 200;

type Event = Exclude<MessageInitShape<typeof ContextEventSchema>["event"], undefined>;

interface Running {
  readonly execution: bigint;
  began: boolean;
  interrupted: boolean;
  openPipes: number;
  values: (readonly (readonly [string, string])[])[];
  ended?: { ending: linkpb.Ending; error: { name: string; message: string; traceback: string } | null };
}

export class Context {
  private readonly socket: Socket;
  private readonly environment: SessionEnvironment;
  private kernel: KernelProcess;
  private running: Running | undefined;
  private environmentWaiters: (() => void)[] = [];
  private closed = false;
  private ready = false;

  /** Starts an interpreter whose stream is `socket`; the context ends with the stream. */
  constructor(socket: Socket, environment: SessionEnvironment) {
    this.socket = socket;
    this.environment = environment;
    this.kernel = this.startKernel();
    void this.serve();
  }

  /** Settles when the running interpreter has these variables. */
  setEnvironment(variables: Readonly<Record<string, string>>): Promise<void> {
    if (this.closed || !this.ready) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.environmentWaiters.push(resolve);
      this.kernel.send({ op: "environment", variables });
    });
  }

  private async serve(): Promise<void> {
    try {
      for await (const { request } of frames(this.socket, ContextRequestSchema, MAX_FRAME_BYTES * 2)) {
        switch (request.case) {
          case "run":
            this.run(request.value);
            break;
          case "interrupt":
            this.interrupt(request.value.execution);
            break;
          case "kill":
            if (this.running?.execution === request.value.execution) {
              this.kernel.signal("SIGKILL");
            }
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
  }

  private startKernel(): KernelProcess {
    const kernel: KernelProcess = new KernelProcess(pythonCommand(), this.environment.current, {
      onMessage: (message) => this.onMessage(message),
      onExit: (how) => this.onExit(kernel, how),
    });
    return kernel;
  }

  private run(request: linkpb.Run): void {
    const running: Running = {
      execution: request.execution,
      began: false,
      interrupted: false,
      openPipes: 2,
      values: [],
    };
    this.running = running;
    const marker = `\u0000\u001e${randomBytes(16).toString("hex")}\u001e\u0000`;
    for (const stream of ["stdout", "stderr"] as const) {
      this.kernel[stream].follow(Buffer.from(marker), {
        onData: (value) => this.send(running.execution, { case: stream, value }),
        onEnd: () => {
          running.openPipes -= 1;
          this.endIfOver(running);
        },
      });
    }
    this.kernel.send({ op: "run", source: request.source, marker });
  }

  private interrupt(execution: bigint): void {
    const { running } = this;
    if (running?.execution !== execution || running.ended !== undefined) {
      return;
    }
    running.interrupted = true;
    if (running.began) {
      this.kernel.signal("SIGINT");
    }
  }

  private onMessage(message: KernelMessage): void {
    const { running } = this;
    switch (message.event) {
      case "ready":
        this.ready = true;
        this.send(0n, { case: "ready", value: {} });
        return;
      case "done":
        this.environmentWaiters.shift()?.();
        return;
      case "began":
        if (running !== undefined) {
          running.began = true;
          // An interrupt that came before the program did.
          if (running.interrupted) {
            this.kernel.signal("SIGINT");
          }
        }
        return;
      case "value":
        running?.values.push(message.forms);
        return;
      case "ended":
        if (running !== undefined) {
          running.ended = { ending: message.error === null ? Ending.COMPLETED : Ending.RAISED, error: message.error };
          this.endIfOver(running);
        }
        return;
    }
  }

  private onExit(kernel: KernelProcess, how: string): void {
    if (this.closed) {
      return;
    }
    const { running } = this;
    this.ready = false;
    for (const resolve of this.environmentWaiters.splice(0)) {
      resolve();
    }
    if (running !== undefined) {
      const message = `The interpreter ended: ${how}.`;
      running.ended = {
        ending: Ending.INTERPRETER_DIED,
        error: { name: "InterpreterDied", message, traceback: "" },
      };
      this.endIfOver(running);
    }
    // A process that left the group may hold the pipes for ever; what it writes is nobody's any more.
    setTimeout(() => kernel.close(), DEAD_DRAIN_MS);
    setTimeout(() => {
      if (!this.closed) {
        this.kernel = this.startKernel();
      }
    }, RESTART_MS);
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
  }

  private send(execution: bigint, event: Event): void {
    if (this.closed) {
      return;
    }
    if (!writeFrame(this.socket, ContextEventSchema, create(ContextEventSchema, { execution, event }))) {
      this.kernel.stdout.pause();
      this.kernel.stderr.pause();
      void drained(this.socket).then(() => {
        this.kernel.stdout.resume();
        this.kernel.stderr.resume();
      });
    }
  }
}
