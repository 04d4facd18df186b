import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { WORKSPACE } from "./environment.js";
import { OutputPipe } from "./output-pipe.js";
import { closeAll, makePipes } from "./pipes.js";
import { killTree } from "./process-tree.js";

/** What a kernel says, besides its output. The messages are those in runtimes/python/kernel.py. */
export type KernelMessage =
  | { readonly event: "ready" | "began" | "done" }
  | { readonly event: "value"; readonly forms: readonly (readonly [string, string])[] }
  | { readonly event: "ended"; readonly error: { name: string; message: string; traceback: string } | null };

export interface KernelEvents {
  readonly onMessage: (message: KernelMessage) => void;
  readonly onExit: (how: string) => void;
}

const LENGTH_BYTES = 4;
/** The largest message of a kernel, bytes. Programs can reach the channel, so it is believed no more than they are. */
const MAX_MESSAGE_BYTES = 8 << 20;

/** One interpreter process. */
export class KernelProcess {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  private readonly child: ChildProcess;
  private readonly control: Socket;
  private readonly events: KernelEvents;
  private received: Buffer = Buffer.alloc(0);
  private exited = false;

  /** Starts the interpreter, in a session and process group of its own. */
  constructor(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv, events: KernelEvents) {
    this.events = events;
    const [out, err] = makePipes(2) as [{ readFd: number; writeFd: number }, { readFd: number; writeFd: number }];
    const [file, ...args] = command;
    this.child = spawn(file, args, {
      cwd: WORKSPACE,
      env,
      detached: true,
      stdio: ["ignore", out.writeFd, err.writeFd, "pipe"],
    });
    closeAll([out.writeFd, err.writeFd]);
    this.stdout = new OutputPipe(out.readFd);
    this.stderr = new OutputPipe(err.readFd);
    this.control = this.child.stdio[3] as Socket;
    this.control.on("error", () => this.control.destroy());
    this.control.on("data", (chunk: Buffer) => this.receive(chunk));
    this.child.once("error", (error) => this.exit(error.message));
    this.child.once("exit", (code, signal) => this.exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  send(message: object): void {
    const body = Buffer.from(JSON.stringify(message));
    const head = Buffer.allocUnsafe(LENGTH_BYTES);
    head.writeUInt32BE(body.length);
    this.control.write(Buffer.concat([head, body]));
  }

  /** Sends SIGINT to the interpreter and to what it started, as a terminal does. */
  interrupt(): void {
    if (this.child.pid === undefined || this.exited) {
      return;
    }
    try {
      process.kill(-this.child.pid, "SIGINT");
    } catch {
      // The group is gone.
    }
  }

  /** Kills the interpreter and what it started. Nothing of it is left to hold its pipes or to burn CPU. */
  kill(): void {
    if (this.child.pid !== undefined) {
      killTree(this.child.pid);
    }
  }

  close(): void {
    this.kill();
    this.control.destroy();
    this.stdout.destroy();
    this.stderr.destroy();
  }

  private receive(chunk: Buffer): void {
    let rest = this.received.length > 0 ? Buffer.concat([this.received, chunk]) : chunk;
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt32BE(0);
      if (end > MAX_MESSAGE_BYTES) {
        this.control.destroy();
        this.kill();
        return;
      }
      if (rest.length < end) {
        break;
      }
      const message = messageFrom(rest.toString("utf8", LENGTH_BYTES, end));
      rest = rest.subarray(end);
      if (message === undefined) {
        this.control.destroy();
        this.kill();
        return;
      }
      this.events.onMessage(message);
    }
    this.received = rest;
  }

  private exit(how: string): void {
    if (!this.exited) {
      this.exited = true;
      this.kill();
      this.events.onExit(how);
    }
  }
}

function messageFrom(text: string): KernelMessage | undefined {
  try {
    return JSON.parse(text) as KernelMessage;
  } catch {
    return undefined;
  }
}
