import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { WORKSPACE } from "./environment.js";
import { OutputPipe } from "./output-pipe.js";
import { closeAll, makePipes } from "./pipes.js";

/** What a kernel says, besides its output. The messages are those in runtimes/python/kernel.py. */
export type KernelMessage =
  | { readonly event: "ready" | "began" | "done" }
  | { readonly event: "value"; readonly forms: readonly (readonly [string, string])[] }
  | { readonly event: "ended"; readonly error: { name: string; message: string; traceback: string } | null };

export interface KernelEvents {
  readonly onMessage: (message: KernelMessage) => void;
  readonly onExit: (how: string) => void;
}

/** One interpreter process. */
export class KernelProcess {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  private readonly child: ChildProcess;
  private readonly control: Socket;

  /** Starts the interpreter, in a process group of its own. */
  constructor(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv, events: KernelEvents) {
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
    let rest: Buffer = Buffer.alloc(0);
    this.control.on("data", (chunk: Buffer) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
        const end = 4 + rest.readUInt32BE(0);
        const message = JSON.parse(rest.toString("utf8", 4, end)) as KernelMessage;
        rest = rest.subarray(end);
        events.onMessage(message);
      }
    });
    let exited = false;
    const exit = (how: string) => {
      if (!exited) {
        exited = true;
        // Nothing that the interpreter started may hold its pipes or outlive it in its group.
        this.signal("SIGKILL");
        events.onExit(how);
      }
    };
    this.child.once("error", (error) => exit(error.message));
    this.child.once("exit", (code, signal) => exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  send(message: object): void {
    const body = Buffer.from(JSON.stringify(message));
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32BE(body.length);
    this.control.write(Buffer.concat([head, body]));
  }

  /** Signals the interpreter and what it started, as a terminal does. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) {
      return;
    }
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // The group is gone.
    }
  }

  close(): void {
    this.signal("SIGKILL");
    this.control.destroy();
    this.stdout.destroy();
    this.stderr.destroy();
  }
}
