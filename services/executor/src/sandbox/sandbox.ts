import type { AgentLink } from "../agent-link/agent-link.js";
import type { LinkViolation } from "../agent-link/violation.js";
import type { Reading } from "../domain/usage-sample.js";
import type { Interpreter } from "../interpreter/interpreter.js";
import type { Cgroup } from "./cgroup.js";
import type { InitProcess } from "./init-process.js";

/** How long the agent may be away before the sandbox is given up, ms. */
const REDIAL_LIMIT_MS = 5_000;
const LIVENESS_POLL_MS = 100;

export interface SandboxParts {
  readonly id: string;
  readonly uid: number;
  readonly link: AgentLink;
  readonly init: InitProcess;
  readonly cgroup: Cgroup;
  /** Removes the container, its link and its user id; settles when they are gone. */
  readonly remove: () => Promise<void>;
}

/** A container with an agent in it. Holds a live Python interpreter once it is warm. */
export class Sandbox {
  readonly id: string;
  readonly link: AgentLink;
  /** Settles with the cause when the sandbox has ended by itself or broken the rules; whoever holds it removes it. */
  readonly died: Promise<string>;
  readonly #parts: SandboxParts;
  #python: Interpreter | undefined;
  #die: (cause: string) => void = () => {};
  #removed: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #executionOver: () => void = () => {};

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.link = parts.link;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /** The live Python interpreter. */
  get python(): Interpreter {
    if (this.#python === undefined) {
      throw new Error("the sandbox is not warm");
    }
    return this.#python;
  }

  set python(interpreter: Interpreter) {
    this.#python = interpreter;
  }

  /** What it has used so far. */
  readonly read = (): Reading => this.#parts.cgroup.read();

  /** Calls back after every execution, until it is removed. */
  onExecutionOver(callback: () => void): void {
    this.#executionOver = callback;
  }

  readonly executionOver = (): void => this.#executionOver();

  /** The agent broke the rules. */
  readonly violated = (violation: LinkViolation): void => this.#die(violation.message);

  /** The agent is away: either its container has ended, or it dials again within 5 s. */
  lostControl(): void {
    const giveUpMs = performance.now() + REDIAL_LIMIT_MS;
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      if (this.#removed !== undefined || this.link.control.connected) {
        clearInterval(this.#watch);
      } else if (!this.#parts.init.alive()) {
        clearInterval(this.#watch);
        this.#die("its container has ended");
      } else if (performance.now() > giveUpMs) {
        clearInterval(this.#watch);
        this.#die("its agent has gone");
      }
    }, LIVENESS_POLL_MS);
  }

  /** Ends everything in it, loses what runs, and settles when nothing of it is left. Twice is the same as once. */
  remove(): Promise<void> {
    this.#removed ??= this.#remove();
    return this.#removed;
  }

  async #remove(): Promise<void> {
    clearInterval(this.#watch);
    // Receipts of lost executions are read while the cgroup is still there.
    this.#python?.close();
    this.#parts.cgroup.read();
    this.#parts.init.kill();
    this.#parts.cgroup.close();
    await this.#parts.remove();
  }
}
