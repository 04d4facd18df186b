import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MeshPaths, makeDirectories, meshPaths } from "./paths.js";
import {
  goneWithin,
  isRunning,
  type ProcessSpec,
  readRecord,
  send,
  startProcess,
  startTicksFromStat,
  stopProcess,
} from "./processes.js";

let paths: MeshPaths;

beforeEach(() => {
  paths = meshPaths(mkdtempSync(join(tmpdir(), "processes-")));
  makeDirectories(paths);
});

afterEach(() => rmSync(paths.home, { recursive: true, force: true }));

function shell(script: string): ProcessSpec {
  return {
    name: "probe",
    command: "/bin/sh",
    arguments: ["-c", script],
    environment: { PATH: process.env["PATH"] },
    fingerprint: "1",
    address: "http://127.0.0.1:1",
  };
}

test("the start time is found behind a command name with spaces and parentheses", () => {
  const fields = Array.from({ length: 40 }, (_, index) => String(index + 4));
  expect(startTicksFromStat(`12 (a b) c) S ${fields.join(" ")}`)).toBe("22");
});

test("a process that waits to be reaped has ended", () => {
  expect(startTicksFromStat(`12 (a) Z ${"0 ".repeat(40)}`)).toBeUndefined();
});

test("a started process is recorded, logs to its file and is gone after its stop", async () => {
  const record = await startProcess(paths, shell("echo hello; exec sleep 60"));
  expect(readRecord(paths, "probe")).toEqual(record);
  expect(isRunning(record)).toBe(true);
  await expect.poll(() => readFileSync(record.logFile, "utf8")).toBe("hello\n");
  await stopProcess(paths, record, 5_000);
  expect(isRunning(record)).toBe(false);
  expect(readRecord(paths, "probe")).toBeUndefined();
});

test("a process that ignores SIGTERM is killed after its grace", async () => {
  const record = await startProcess(paths, shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  await expect.poll(() => readFileSync(record.logFile, "utf8")).toBe("ready\n");
  await stopProcess(paths, record, 200);
  expect(isRunning(record)).toBe(false);
});

test("another process with the recorded pid is not taken for ours", async () => {
  const record = await startProcess(paths, shell("exec sleep 60"));
  const stale = { ...record, startTicks: "1" };
  expect(isRunning(stale)).toBe(false);
  send(stale, "SIGKILL");
  await stopProcess(paths, stale, 1_000);
  expect(await goneWithin(record, 300)).toBe(false);
  await stopProcess(paths, record, 5_000);
});

test("a record of another boot names no process", async () => {
  const record = await startProcess(paths, shell("exec sleep 60"));
  expect(isRunning({ ...record, bootId: "other" })).toBe(false);
  await stopProcess(paths, record, 5_000);
});

test("a command that is not there is an error", async () => {
  await expect(startProcess(paths, { ...shell(""), command: "/no/such/command" })).rejects.toThrow("ENOENT");
});
