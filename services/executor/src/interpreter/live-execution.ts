import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ExecuteResponseSchema, linkpb, Outcome, type ProgramError, type Result } from "@codemesh/api";
import type { ContextStream, ExecutionSink } from "../agent-link/context-stream.js";
import { EventQueue, type OutputStream, type Queued } from "../domain/event-queue.js";
import { begin, type Execution, end, queued, type StopReason, stop } from "../domain/execution.js";
import type { Reading } from "../domain/usage-sample.js";
import { clipped, durationFromUs } from "./wire.js";

/** From the interrupt to the kill, ms. */
const GRACE_MS = 5_000;
/** From the kill to giving the sandbox up, ms. */
const KILL_LIMIT_MS = 5_000;
/** What may wait for a slow caller before the program has to wait too, bytes. */
const HIGH_WATER_BYTES = 256 << 10;
/** Where reading goes on again, bytes. */
const LOW_WATER_BYTES = 64 << 10;
const MAX_MESSAGE_BYTES = 64 << 10;
const MAX_TRACEBACK_BYTES = 256 << 10;

/** A response as it is handed to the RPC. */
export type Response = MessageInitShape<typeof ExecuteResponseSchema>;
type Event = NonNullable<Response["event"]>;

export interface LiveExecutionOptions {
  /** `sessions/{session}/executions/{execution}`. */
  readonly name: string;
  readonly source: string;
  /** `undefined` means as long as the session lives. */
  readonly timeoutMs: number | undefined;
  readonly stream: ContextStream;
  readonly readCgroup: () => Reading;
  /** Whether the interpreter still has what the execution before this one left. */
  readonly stateFound: () => boolean;
  /** It has finished; called once, with what the agent said, if anything. */
  readonly over: (execution: LiveExecution, ending: linkpb.Ending | undefined) => void;
  /** It was killed and the agent did not say so. */
  readonly unkillable: () => void;
}

/** One execution, from its place in the queue to its last event. Runs on whether or not its events are taken. */
export class LiveExecution implements ExecutionSink {
  readonly name: string;
  readonly #options: LiveExecutionOptions;
  readonly #events = new EventQueue<Event>();
  #execution: Execution = queued;
  #sequence = 0n;
  #run = 0n;
  #beginMs = 0;
  #beginReading: Reading | undefined;
  #timers: NodeJS.Timeout[] = [];
  #nobodyListens = false;
  #wake: () => void = () => {};

  constructor(options: LiveExecutionOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get state(): Execution["state"] {
    return this.#execution.state;
  }

  /** It has its turn. */
  begin(): void {
    const { stream, source, timeoutMs, readCgroup } = this.#options;
    this.#beginReading = readCgroup();
    this.#execution = begin(this.#execution, this.#beginReading.oomKills);
    this.#beginMs = performance.now();
    this.#run = stream.run(source, this);
    if (timeoutMs !== undefined) {
      this.#after(timeoutMs, () => this.stop("timed-out"));
    }
    this.#add({ case: "started", value: { execution: this.name, startTime: timestampFromMs(Date.now()) } });
  }

  output(stream: OutputStream, data: Uint8Array): void {
    if (!this.#nobodyListens) {
      this.#events.addOutput(stream, data);
      this.#added();
    }
  }

  result(result: Result): void {
    this.#add({ case: "result", value: result });
  }

  ended(ending: linkpb.Ending, error: ProgramError | undefined): void {
    this.#finish(ending, error);
  }

  /** Ends it for a reason; the first one counts. Interrupts, after 5 s kills, and after 5 s more gives the sandbox up. */
  stop(reason: StopReason): void {
    const stopping = this.#execution.state === "running" && this.#execution.stop === undefined;
    this.#execution = stop(this.#execution, reason);
    if (this.#execution.state === "queued") {
      this.#finish(undefined, undefined);
    }
    if (!stopping || reason === "session-ended") {
      return;
    }
    const { stream } = this.#options;
    stream.interrupt(this.#run);
    this.#after(GRACE_MS, () => {
      stream.kill(this.#run);
      this.#giveUpLater();
    });
  }

  /** Its caller has gone: nobody takes its events any more, and it is cancelled. */
  abandon(): void {
    if (this.#execution.state === "finished") {
      return;
    }
    this.#nobodyListens = true;
    this.#events.clear();
    if (this.#execution.state === "queued") {
      this.#finish(undefined, undefined);
      return;
    }
    this.#options.stream.resume();
    this.stop("cancelled");
  }

  /** The sandbox is going away under it. */
  lose(): void {
    this.stop("session-ended");
    this.#finish(undefined, undefined);
  }

  /**
   * Its events, as they come: `started`, output and results, `finished`. Ends without any when it never had its turn.
   * One reader, which stops the program's writes by not reading. `signal` ends the reading.
   */
  async *responses(signal: AbortSignal): AsyncGenerator<Response> {
    const onAbort = () => {
      this.abandon();
      this.#wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const next = this.#events.take();
        if (next !== undefined) {
          if (this.#execution.state === "running" && this.#events.weightBytes <= LOW_WATER_BYTES) {
            this.#options.stream.resume();
          }
          yield { sequence: ++this.#sequence, event: eventOf(next) };
        } else if (this.#execution.state === "finished") {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.abandon();
    }
  }

  #finish(ending: linkpb.Ending | undefined, error: ProgramError | undefined): void {
    const before = this.#execution;
    if (before.state === "finished") {
      return;
    }
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    const reading = this.#options.readCgroup();
    this.#execution = end(before, { ending, oomKills: reading.oomKills, stateFound: this.#options.stateFound() });
    if (before.state === "running" && this.#execution.state === "finished" && this.#execution.outcome !== undefined) {
      this.#events.endOutput();
      this.#add({
        case: "finished",
        value: {
          outcome: this.#execution.outcome,
          ...(this.#execution.outcome === Outcome.FAILED ? { error: errorOf(ending, error) } : {}),
          wallTime: durationFromUs(Math.round((performance.now() - this.#beginMs) * 1000)),
          usage: {
            cpuUs: reading.cpuUs - (this.#beginReading?.cpuUs ?? reading.cpuUs),
            peakMemoryBytes: reading.peakMemoryBytes,
          },
          statePreserved: this.#execution.statePreserved,
        },
      });
    }
    this.#wake();
    this.#options.over(this, ending);
  }

  #add(event: Event): void {
    if (!this.#nobodyListens) {
      this.#events.addEvent(event);
      this.#added();
    }
  }

  #added(): void {
    if (this.#events.weightBytes >= HIGH_WATER_BYTES && this.#execution.state === "running") {
      this.#options.stream.pause();
    }
    this.#wake();
  }

  #after(delayMs: number, action: () => void): void {
    this.#timers.push(setTimeout(action, delayMs));
  }

  /** While its caller does not read, the end may be there unread; then there is nothing to hold against the agent. */
  #giveUpLater(): void {
    this.#after(KILL_LIMIT_MS, () => (this.#options.stream.paused ? this.#giveUpLater() : this.#options.unkillable()));
  }
}

function eventOf(item: Queued<Event>): Event {
  return item.kind === "event" ? item.event : { case: item.kind, value: { data: item.data } };
}

function errorOf(ending: linkpb.Ending | undefined, error: ProgramError | undefined) {
  if (error !== undefined) {
    return {
      name: clipped(error.name, MAX_MESSAGE_BYTES),
      message: clipped(error.message, MAX_MESSAGE_BYTES),
      traceback: clipped(error.traceback, MAX_TRACEBACK_BYTES),
    };
  }
  return ending === linkpb.Ending.INTERPRETER_DIED
    ? { name: "InterpreterDied", message: "The program ended its own interpreter; a new one has taken its place." }
    : { name: "UnknownError" };
}
