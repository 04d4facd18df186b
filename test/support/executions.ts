import { durationFromMs, type ExecuteResponse, type Finished, Language, type Result } from "@codemesh/api";
import { type Clients, clients } from "./clients.js";

export interface ExecuteOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly by?: Clients;
}

/** A finished execution with its output put together. */
export interface Execution {
  readonly events: readonly ExecuteResponse[];
  /** `sessions/{session}/executions/{execution}`. */
  readonly name: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly results: readonly Result[];
  readonly finished: Finished;
}

/** Starts Python source and streams its events. */
export function execute(
  session: string,
  source: string,
  { timeoutMs, signal, by = clients() }: ExecuteOptions = {},
): AsyncIterable<ExecuteResponse> {
  return by.executions.execute(
    {
      session,
      work: { case: "code", value: { language: Language.PYTHON, source } },
      ...(timeoutMs === undefined ? {} : { timeout: durationFromMs(timeoutMs) }),
    },
    signal === undefined ? {} : { signal },
  );
}

/** Runs Python source to its end. */
export async function run(session: string, source: string, options: ExecuteOptions = {}): Promise<Execution> {
  return collect(execute(session, source, options));
}

/** Reads a stream of events to its end. */
export async function collect(stream: AsyncIterable<ExecuteResponse>): Promise<Execution> {
  const events: ExecuteResponse[] = [];
  for await (const event of stream) {
    events.push(event);
  }
  return executionOf(events);
}

/** Puts the events of a finished execution together. */
export function executionOf(events: readonly ExecuteResponse[]): Execution {
  let name = "";
  let finished: Finished | undefined;
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const results: Result[] = [];
  for (const { event } of events) {
    switch (event.case) {
      case "started":
        name = event.value.execution;
        break;
      case "stdout":
        stdout.push(event.value.data);
        break;
      case "stderr":
        stderr.push(event.value.data);
        break;
      case "result":
        results.push(event.value);
        break;
      case "finished":
        finished = event.value;
        break;
      case undefined:
        throw new Error("An event says nothing.");
    }
  }
  if (finished === undefined) {
    throw new Error(`The stream ended without a finished, after ${events.length} events.`);
  }
  return { events, name, stdout: text(stdout), stderr: text(stderr), results, finished };
}

function text(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString("utf8");
}
