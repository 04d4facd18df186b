import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readText, writePrivate } from "./files.js";
import type { MeshPaths } from "./paths.js";

// Processes that outlive the command that starts them. A record names a process by pid, boot and start time, so that a
// pid that the kernel gave to somebody else in the meantime is never taken for ours.

const POLL_MS = 25;

/** A process of ours, as it is kept on disk. */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** Start time of the process, clock ticks since boot (proc(5), field 22). */
  readonly startTicks: string;
  /** The boot that the ticks count from. */
  readonly bootId: string;
  /** Changes when the process should be started anew: its code, arguments or environment are others. */
  readonly fingerprint: string;
  /** Where it answers, a URL or `unix://` path. */
  readonly address: string;
  readonly logFile: string;
}

/** A process to be started. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly fingerprint: string;
  readonly address: string;
}

/** Starts a process in a session of its own, its output appended to its log file, and records it. */
export async function startProcess(paths: MeshPaths, spec: ProcessSpec): Promise<ProcessRecord> {
  const logFile = join(paths.logs, `${spec.name}.log`);
  const log = openSync(logFile, "a", 0o600);
  try {
    const child = spawn(spec.command, spec.arguments, {
      cwd: paths.home,
      env: spec.environment,
      detached: true,
      stdio: ["ignore", log, log],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    const pid = child.pid as number;
    const record: ProcessRecord = {
      name: spec.name,
      pid,
      startTicks: startTicksOf(pid) ?? "",
      bootId: bootId(),
      fingerprint: spec.fingerprint,
      address: spec.address,
      logFile,
    };
    writePrivate(recordPath(paths, spec.name), `${JSON.stringify(record, undefined, 2)}\n`);
    return record;
  } finally {
    closeSync(log);
  }
}

/** The record of a process, or `undefined` when none was started. */
export function readRecord(paths: MeshPaths, name: string): ProcessRecord | undefined {
  const text = readText(recordPath(paths, name));
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text) as ProcessRecord;
  } catch {
    // A damaged record says nothing; the process, if any, is found by what it holds (its port, its socket).
    return undefined;
  }
}

/** Whether the recorded process itself, not another one with its pid, is running. */
export function isRunning(record: ProcessRecord): boolean {
  return record.startTicks !== "" && record.bootId === bootId() && startTicksOf(record.pid) === record.startTicks;
}

/** Ends a process: SIGTERM, SIGKILL after the grace, and returns when it is gone. Its record goes with it. */
export async function stopProcess(paths: MeshPaths, record: ProcessRecord, graceMs: number): Promise<void> {
  send(record, "SIGTERM");
  if (!(await goneWithin(record, graceMs))) {
    send(record, "SIGKILL");
    await goneWithin(record, 5_000);
  }
  rmSync(recordPath(paths, record.name), { force: true });
}

/** Sends a signal to a recorded process, if it is still that process. */
export function send(record: ProcessRecord, signal: NodeJS.Signals): void {
  if (isRunning(record)) {
    try {
      process.kill(record.pid, signal);
    } catch {
      // It ended in between.
    }
  }
}

/** Whether a process ended within a time, ms. */
export async function goneWithin(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isRunning(record)) {
    if (performance.now() >= deadline) {
      return false;
    }
    await sleep(POLL_MS);
  }
  return true;
}

/** The start time in a line of /proc/{pid}/stat; `undefined` for a process that has ended and waits to be reaped. */
export function startTicksFromStat(stat: string): string | undefined {
  // The command name, in parentheses, may itself hold spaces and parentheses: fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** When a process started, clock ticks since boot; `undefined` when it has ended. */
export function startTicksOf(pid: number): string | undefined {
  try {
    return startTicksFromStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function recordPath(paths: MeshPaths, name: string): string {
  return join(paths.run, `${name}.json`);
}
