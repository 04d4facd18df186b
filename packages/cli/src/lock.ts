import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readText } from "./files.js";
import { Problem } from "./problem.js";
import { startTicksOf } from "./processes.js";
import type { Progress } from "./progress.js";

const WAIT_MS = 600_000;
const POLL_MS = 100;

/** Runs work that only one command at a time may do to a mesh; waits for the one before it. */
export async function withLock<T>(path: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  if (!tryLock(path)) {
    await progress.step("Waiting for another ./mesh command", async (detail) => {
      const deadline = performance.now() + WAIT_MS;
      while (!tryLock(path)) {
        if (performance.now() >= deadline) {
          throw new Problem(`Another ./mesh command holds ${path}.`, `End it, or remove ${path}.`);
        }
        detail(`process ${readText(path)?.split(" ")[0] ?? "?"}`);
        await sleep(POLL_MS);
      }
    });
  }
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, `${process.pid} ${startTicksOf(process.pid) ?? ""}\n`);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  // An empty file is a lock being taken: its holder writes its pid and start time within microseconds.
  const [pid, startTicks] = (readText(path) ?? "").trim().split(" ");
  if (startTicks !== undefined && startTicksOf(Number(pid)) !== startTicks) {
    rmSync(path, { force: true });
    return tryLock(path);
  }
  return false;
}
