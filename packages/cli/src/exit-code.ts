import { Outcome, type ProgramError } from "@codemesh/sdk";

/** What a shell calls a command that its own time limit ended. */
const EXIT_TIMED_OUT = 124;
/** 128 + SIGHUP. */
export const EXIT_HUNG_UP = 129;
/** 128 + SIGINT. */
export const EXIT_CANCELLED = 130;
/** 128 + SIGKILL, which is what the kernel sends at a memory limit. */
const EXIT_OUT_OF_MEMORY = 137;
/** 128 + SIGPIPE. */
export const EXIT_UNREAD = 141;
/** 128 + SIGTERM. */
export const EXIT_TERMINATED = 143;

/** The exit code of `./mesh run` for how a program ended: that of the program wherever it has one. */
export function exitCodeOf(outcome: Outcome, error: ProgramError | undefined): number {
  switch (outcome) {
    case Outcome.SUCCEEDED:
      return 0;
    case Outcome.FAILED:
      return error?.name === "SystemExit" ? systemExitCode(error.message) : 1;
    case Outcome.CANCELLED:
      return EXIT_CANCELLED;
    case Outcome.TIMED_OUT:
      return EXIT_TIMED_OUT;
    case Outcome.OUT_OF_MEMORY:
      return EXIT_OUT_OF_MEMORY;
    case Outcome.LOST:
    case Outcome.UNSPECIFIED:
      return 1;
  }
}

/** As Python has it: a whole number is itself modulo 256, any other argument is 1. `sys.exit(0)` is a success. */
function systemExitCode(message: string): number {
  return isNumber(message) ? Number(BigInt.asUintN(8, BigInt(message))) : 1;
}

/** What Python prints when a program ends so: the traceback, or for SystemExit just the text it was given, if any. */
export function errorText(error: ProgramError | undefined): string {
  if (error?.name === "SystemExit") {
    return isNumber(error.message) ? "" : error.message;
  }
  return error?.traceback ?? "";
}

function isNumber(message: string): boolean {
  return /^-?\d+$/.test(message);
}
