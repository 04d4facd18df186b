import { linkpb, Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";
import type { ContextStream } from "../agent-link/context-stream.js";
import { LinkViolation } from "../agent-link/violation.js";
import { enter, leave, MAX_WAITING, noTurns, TOO_MANY_WAITING_RETRY_MS, type Turns } from "../domain/turn.js";
import type { Reading } from "../domain/usage-sample.js";
import { LiveExecution } from "./live-execution.js";

/** How long a new interpreter may take to start, ms. */
const START_LIMIT_MS = 60_000;
/** How many finished executions are remembered by name. */
const MAX_REMEMBERED = 1_000;

export interface InterpreterOptions {
  readonly readCgroup: () => Reading;
  /** An execution has finished. */
  readonly executionOver: () => void;
  /** The agent broke the rules, or did not do what it must. */
  readonly violated: (violation: LinkViolation) => void;
}

export interface Program {
  /** `sessions/{session}/executions/{execution}`. */
  readonly name: string;
  readonly source: string;
  readonly timeoutMs: number | undefined;
}

/** A live interpreter in a sandbox: one execution runs, others wait for their turn. */
export class Interpreter {
  /** Settles when it can run code for the first time. */
  readonly ready: Promise<void>;
  readonly #options: InterpreterOptions;
  readonly #stream: ContextStream;
  readonly #unfinished = new Map<string, LiveExecution>();
  readonly #finished = new Set<string>();
  #turns: Turns<LiveExecution> = noTurns();
  /** It restarted by itself: what the last execution left is gone, and no execution has said so yet. */
  #stateLost = false;
  #closed = false;
  /** Set while it is being started. */
  #startLimit: NodeJS.Timeout | undefined;
  #becameReady: () => void = () => {};

  /** Takes over a stream on which an interpreter is being started. */
  constructor(stream: ContextStream, options: InterpreterOptions) {
    this.#options = options;
    this.#stream = stream;
    this.ready = new Promise((resolve) => {
      this.#becameReady = resolve;
    });
    this.#expectStart();
    stream.start({ ready: () => this.#onReady(), violated: options.violated });
  }

  /** Lets a program in; refuses with `RESOURCE_EXHAUSTED` / `TOO_MANY_WAITING`. */
  execute(program: Program): LiveExecution {
    const live = new LiveExecution({
      ...program,
      stream: this.#stream,
      readCgroup: this.#options.readCgroup,
      stateFound: () => !this.#stateLost,
      over: (execution, ending) => this.#over(execution, ending),
      unkillable: () => this.#options.violated(new LinkViolation("an interpreter was not killed")),
    });
    const { admitted, turns } = enter(this.#turns, live);
    if (!admitted) {
      throw new Refusal(
        Code.ResourceExhausted,
        "TOO_MANY_WAITING",
        `One execution runs and ${MAX_WAITING} wait already; try again when some have ended.`,
        { retryAfterMs: TOO_MANY_WAITING_RETRY_MS },
      );
    }
    this.#turns = turns;
    this.#unfinished.set(program.name, live);
    this.#beginNext();
    return live;
  }

  /** The execution of this name, as far as it is remembered. */
  find(name: string): LiveExecution | "finished" | undefined {
    return this.#unfinished.get(name) ?? (this.#finished.has(name) ? "finished" : undefined);
  }

  /** The sandbox is going away: what runs is lost, what waits never runs. */
  close(): void {
    clearTimeout(this.#startLimit);
    this.#closed = true;
    for (const live of [...this.#unfinished.values()]) {
      live.lose();
    }
    this.#stream.close();
  }

  #onReady(): void {
    if (this.#startLimit === undefined) {
      this.#stateLost = true;
    }
    clearTimeout(this.#startLimit);
    this.#startLimit = undefined;
    this.#becameReady();
    this.#beginNext();
  }

  #beginNext(): void {
    const next = this.#turns.running;
    if (next?.state === "queued" && this.#startLimit === undefined && !this.#closed) {
      next.begin();
    }
  }

  #over(live: LiveExecution, ending: linkpb.Ending | undefined): void {
    if (this.#turns.running === live && ending !== undefined) {
      this.#stateLost = false;
    }
    if (ending === linkpb.Ending.INTERPRETER_DIED) {
      this.#expectStart();
    }
    this.#unfinished.delete(live.name);
    this.#remember(live.name);
    this.#turns = leave(this.#turns, live);
    this.#beginNext();
    this.#options.executionOver();
  }

  #expectStart(): void {
    clearTimeout(this.#startLimit);
    this.#startLimit = setTimeout(
      () => this.#options.violated(new LinkViolation("an interpreter did not start in time")),
      START_LIMIT_MS,
    );
  }

  #remember(name: string): void {
    this.#finished.add(name);
    const [oldest] = this.#finished;
    if (this.#finished.size > MAX_REMEMBERED && oldest !== undefined) {
      this.#finished.delete(oldest);
    }
  }
}
