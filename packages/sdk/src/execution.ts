import { durationFromMs, Language } from "@codemesh/api";
import type { CodemeshClient } from "./client.js";
import { createEventReader, type ExecutionEvent, type FinishedEvent, type ResultEvent, textOf } from "./events.js";

export interface RunOptions {
  /** Default: Python. */
  readonly language?: Language;
  /** How long it may run, once it has its turn, ms. Default: as long as the session lives. */
  readonly timeoutMs?: number;
  /** Cancels the execution and ends its stream with an error. */
  readonly signal?: AbortSignal;
}

/** Everything an execution said. */
export interface Completed {
  readonly stdout: string;
  readonly stderr: string;
  readonly results: readonly ResultEvent[];
  readonly finished: FinishedEvent;
}

/** Code on its way through a session. Its events can be read once; leaving the loop before the end cancels it. */
export interface Execution extends AsyncIterable<ExecutionEvent> {
  /** Interrupts it, as Ctrl-C does; its events tell how it ended. Before it has its turn, its stream ends with an error. */
  cancel(): Promise<void>;
  /** Reads all that is left of its events. */
  toEnd(): Promise<Completed>;
}

/** Sends code to a session's interpreter. */
export function startExecution(
  client: CodemeshClient,
  session: string,
  source: string,
  options: RunOptions = {},
): Execution {
  const { language = Language.PYTHON, timeoutMs, signal } = options;
  const leaving = new AbortController();
  const responses = client.executions.execute(
    {
      session,
      work: { case: "code", value: { language, source } },
      ...(timeoutMs === undefined ? {} : { timeout: durationFromMs(timeoutMs) }),
    },
    { signal: signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]) },
  );
  let name: string | undefined;
  async function* read(): AsyncGenerator<ExecutionEvent> {
    const eventOf = createEventReader();
    try {
      for await (const response of responses) {
        const event = eventOf(response);
        if (event === undefined) {
          continue;
        }
        if (event.type === "started") {
          name = event.execution;
        }
        yield event;
        if (event.type === "finished") {
          return;
        }
      }
      throw new Error(`The stream of an execution in ${session} ended before the execution did.`);
    } finally {
      leaving.abort();
    }
  }
  const events = read();
  return {
    [Symbol.asyncIterator]: () => events,
    async cancel() {
      if (name === undefined) {
        leaving.abort();
      } else {
        await client.executions.cancelExecution({ name });
      }
    },
    toEnd: () => collect(events),
  };
}

async function collect(events: AsyncIterable<ExecutionEvent>): Promise<Completed> {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const results: ResultEvent[] = [];
  for await (const event of events) {
    switch (event.type) {
      case "stdout":
        stdout.push(event.data);
        break;
      case "stderr":
        stderr.push(event.data);
        break;
      case "result":
        results.push(event);
        break;
      case "finished":
        return { stdout: textOf(stdout), stderr: textOf(stderr), results, finished: event };
      case "started":
        break;
    }
  }
  throw new Error("The events of this execution have been read already.");
}
