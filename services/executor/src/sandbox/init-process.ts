import { readFileSync } from "node:fs";

// The first process of a container, as the host sees it. When it ends, the kernel ends every other process of the
// container, so killing it needs no engine. A process id is reused; the start time beside it is not.

/** The first process of a container. */
export interface InitProcess {
  readonly pid: number;
  alive(): boolean;
  /** Kills it, and with it everything in the container; nothing happens when it is gone. */
  kill(): void;
}

/** The process of this id, as it is now. */
export function initProcess(pid: number): InitProcess {
  const startTime = startTimeOf(pid);
  const alive = () => startTime !== undefined && startTimeOf(pid) === startTime;
  return {
    pid,
    alive,
    kill() {
      if (alive()) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It ended in this moment.
        }
      }
    },
  };
}

/** Clock ticks from the host's start to the process's, or `undefined` when it has ended. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything; state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
