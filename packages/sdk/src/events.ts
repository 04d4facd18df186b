import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type ExecuteResponse,
  msFromDuration,
  type Outcome,
  type ProgramError,
  type Representation,
} from "@codemesh/api";

/** It has its turn and begins. */
export interface StartedEvent {
  readonly type: "started";
  readonly sequence: bigint;
  /** `sessions/{session}/executions/{execution}`. */
  readonly execution: string;
  readonly startTime: Date;
}

/** It wrote to its standard output or standard error. */
export interface OutputEvent {
  readonly type: "stdout" | "stderr";
  readonly sequence: bigint;
  /** The bytes as written. */
  readonly data: Uint8Array;
  /** The same as text; a character whose bytes come in two events is in the second. */
  readonly text: string;
}

/** It has a value: that of the program's last expression. */
export interface ResultEvent {
  readonly type: "result";
  readonly sequence: bigint;
  /** The same value in every form it has, plainest first. */
  readonly representations: readonly Representation[];
  /** Its `text/plain` form, if it has one. */
  readonly text: string | undefined;
}

/** It is over; the last event. */
export interface FinishedEvent {
  readonly type: "finished";
  readonly sequence: bigint;
  readonly outcome: Outcome;
  /** What the program raised, with outcome FAILED. */
  readonly error: ProgramError | undefined;
  /** From its turn to its end, ms, rounded up. */
  readonly wallTimeMs: number;
  /** CPU time burned in the sandbox meanwhile, µs. */
  readonly cpuUs: bigint;
  /** The most memory the sandbox has held since it was made, bytes. */
  readonly peakMemoryBytes: bigint;
  /** Whether the variables from before and during this execution are still there. */
  readonly statePreserved: boolean;
}

/** What happened in an execution. */
export type ExecutionEvent = StartedEvent | OutputEvent | ResultEvent | FinishedEvent;

/** Reads the events of one execution off the wire, in order. Returns `undefined` for an event of a newer mesh. */
export function createEventReader(): (response: ExecuteResponse) => ExecutionEvent | undefined {
  const decoders = { stdout: textDecoder(), stderr: textDecoder() };
  return ({ sequence, event }) => {
    switch (event.case) {
      case "started": {
        const { execution, startTime } = event.value;
        return {
          type: "started",
          sequence,
          execution,
          startTime: startTime === undefined ? new Date() : timestampDate(startTime),
        };
      }
      case "stdout":
      case "stderr": {
        const { data } = event.value;
        return { type: event.case, sequence, data, text: decoders[event.case].decode(data, { stream: true }) };
      }
      case "result": {
        const { representations } = event.value;
        return { type: "result", sequence, representations, text: plainTextOf(representations) };
      }
      case "finished": {
        const { outcome, error, wallTime, usage, statePreserved } = event.value;
        return {
          type: "finished",
          sequence,
          outcome,
          error,
          wallTimeMs: wallTime === undefined ? 0 : msFromDuration(wallTime),
          cpuUs: usage?.cpuUs ?? 0n,
          peakMemoryBytes: usage?.peakMemoryBytes ?? 0n,
          statePreserved,
        };
      }
      case undefined:
        return undefined;
    }
  };
}

/** Pieces of output as one text; bytes that are not UTF-8 become U+FFFD. */
export function textOf(pieces: readonly Uint8Array[]): string {
  const decoder = textDecoder();
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
}

function textDecoder() {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}

function plainTextOf(representations: readonly Representation[]): string | undefined {
  const plain = representations.find(({ mediaType }) => mediaType === "text/plain")?.content;
  return plain?.case === "text" ? plain.value : undefined;
}
