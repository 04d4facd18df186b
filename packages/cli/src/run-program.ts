import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type CodeSession, type Execution, Outcome, type RunOptions } from "@codemesh/sdk";
import { EXIT_CANCELLED, EXIT_HUNG_UP, EXIT_TERMINATED, EXIT_UNREAD, errorText, exitCodeOf } from "./exit-code.js";

/** How long the session's stop may hold up the end of this process, ms. */
const LEAVE_LIMIT_MS = 5_000;

/** What a person is told about an outcome that the program itself says nothing about. */
const CLOSING_WORDS: Readonly<Partial<Record<Outcome, string>>> = {
  [Outcome.TIMED_OUT]: "The program's time was up.",
  [Outcome.OUT_OF_MEMORY]: "The program used up the session's memory.",
  [Outcome.LOST]: "The session ended before the program did.",
};

/**
 * Runs a program in a session, what it writes going to stdout and stderr as it comes, and returns the exit code to end with.
 * The first Ctrl-C interrupts the program; at the second, SIGTERM, SIGHUP or when nobody reads any more, the session is
 * stopped and this process ends.
 */
export async function runProgram(session: CodeSession, source: string, options: RunOptions): Promise<number> {
  const execution = session.run(source, options);
  let interrupted = false;
  const leave = (exitCode: number) => void leaveWithin(LEAVE_LIMIT_MS, session, exitCode);
  const onInterrupt = () => {
    if (interrupted) {
      leave(EXIT_CANCELLED);
    }
    interrupted = true;
    execution.cancel().catch((error: Error) => process.stderr.write(`✗ ${error.message}\n`));
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", () => leave(EXIT_TERMINATED));
  process.on("SIGHUP", () => leave(EXIT_HUNG_UP));
  // `./mesh run … | head` reads no more than it wants.
  process.stdout.on("error", () => leave(EXIT_UNREAD));
  try {
    return await follow(execution);
  } catch (error) {
    // An execution that waits for its turn, or whose session is gone, ends in an error when it is cancelled.
    if (interrupted) {
      return EXIT_CANCELLED;
    }
    throw error;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

async function leaveWithin(limitMs: number, session: CodeSession, exitCode: number): Promise<void> {
  await Promise.race([session.stop().catch(() => {}), sleep(limitMs)]);
  process.exit(exitCode);
}

async function follow(execution: Execution): Promise<number> {
  for await (const event of execution) {
    if (event.type === "stdout" || event.type === "stderr") {
      await write(process[event.type], event.data);
    } else if (event.type === "finished") {
      const text = errorText(event.error) || (CLOSING_WORDS[event.outcome] ?? "");
      if (text !== "") {
        await write(process.stderr, text.endsWith("\n") ? text : `${text}\n`);
      }
      return exitCodeOf(event.outcome, event.error);
    }
  }
  throw new Error("The program's end was not told.");
}

/** Writes, and waits while the reader is slower than the program. */
async function write(stream: NodeJS.WriteStream, data: Uint8Array | string): Promise<void> {
  if (!stream.write(data)) {
    await once(stream, "drain");
  }
}
