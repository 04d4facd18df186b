import type { linkpb } from "@codemesh/api";

/** A program from its Run to its Ended. */
export interface Running {
  readonly execution: bigint;
  readonly source: string;
  /** The interpreter has it. */
  given: boolean;
  /** Its first line is about to run: from here on it can be interrupted. */
  began: boolean;
  interrupted: boolean;
  killed: boolean;
  /** How many of its output pipes have not ended. */
  openPipes: number;
  /** Its values, each in its forms, as media type and text. */
  values: (readonly (readonly [string, string])[])[];
  /** How it ended, once that is known. */
  ended?: { ending: linkpb.Ending; error: { name: string; message: string; traceback: string } | null };
}

/** A program that no interpreter has yet. */
export function newRunning(execution: bigint, source: string): Running {
  return {
    execution,
    source,
    given: false,
    began: false,
    interrupted: false,
    killed: false,
    openPipes: 0,
    values: [],
  };
}
