import { linkpb, Outcome } from "@codemesh/api";

// The life of one execution:
//
//   queued ──begin──► running ──end──► finished
//      └────────────────end──────────────►┘  (it never ran)
//
//   X1. The first reason to stop it wins, and is its outcome whatever the program does about it.
//   X2. What has finished never changes.
//   X3. Out of memory is what the kernel counted while it ran, never what the sandbox says.

/** Why an execution was told to stop. */
export type StopReason = "cancelled" | "timed-out" | "session-ended";

export type Execution =
  | { readonly state: "queued"; readonly stop: StopReason | undefined }
  | { readonly state: "running"; readonly stop: StopReason | undefined; readonly oomKills: number }
  | { readonly state: "finished"; readonly outcome: Outcome | undefined; readonly statePreserved: boolean };

/** How an execution's end was seen from the host. */
export interface End {
  /** What the agent said; absent when the sandbox is gone. */
  readonly ending: linkpb.Ending | undefined;
  /** How many processes of the sandbox the kernel has killed for memory so far. */
  readonly oomKills: number;
  /** Whether the interpreter still had, when it began, what the execution before it left. */
  readonly stateFound: boolean;
}

/** An execution that waits for its turn. */
export const queued: Execution = { state: "queued", stop: undefined };

/** It has its turn; `oomKills` is the kernel's count at that moment. */
export function begin(execution: Execution, oomKills: number): Execution {
  return execution.state === "queued" ? { state: "running", stop: execution.stop, oomKills } : execution;
}

/** Notes why it is to stop. */
export function stop(execution: Execution, reason: StopReason): Execution {
  // X1, X2
  return execution.state === "finished" ? execution : { ...execution, stop: execution.stop ?? reason };
}

/** It is over. Without an outcome it never ran. */
export function end(execution: Execution, seen: End): Execution {
  switch (execution.state) {
    case "queued":
      return { state: "finished", outcome: undefined, statePreserved: false };
    case "running":
      return {
        state: "finished",
        outcome: outcomeOf(execution.stop, execution.oomKills, seen),
        statePreserved: seen.stateFound && interpreterLives(seen.ending),
      };
    case "finished":
      return execution; // X2
  }
}

function outcomeOf(stopped: StopReason | undefined, oomKillsBefore: number, seen: End): Outcome {
  switch (stopped) {
    case "cancelled":
      return Outcome.CANCELLED;
    case "timed-out":
      return Outcome.TIMED_OUT;
    case "session-ended":
      return Outcome.LOST;
    case undefined:
      break;
  }
  switch (seen.ending) {
    case linkpb.Ending.COMPLETED:
      return Outcome.SUCCEEDED;
    case linkpb.Ending.RAISED:
      return Outcome.FAILED;
    case linkpb.Ending.INTERPRETER_DIED:
      return seen.oomKills > oomKillsBefore ? Outcome.OUT_OF_MEMORY : Outcome.FAILED; // X3
    case linkpb.Ending.UNSPECIFIED:
    case undefined:
      return Outcome.LOST;
  }
}

function interpreterLives(ending: linkpb.Ending | undefined): boolean {
  return ending === linkpb.Ending.COMPLETED || ending === linkpb.Ending.RAISED;
}
