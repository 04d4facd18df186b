import { createHash } from "node:crypto";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines, readText, writePrivate } from "./files.js";
import { hasSystemd, installPackages } from "./packages.js";
import type { MeshPaths } from "./paths.js";
import { Problem } from "./problem.js";
import { goneWithin, isRunning, type ProcessRecord, readRecord, startProcess, stopProcess } from "./processes.js";
import type { Progress } from "./progress.js";
import { commandPath, runCommand } from "./run-command.js";

/** The name of the NATS server's record and log. */
export const NATS_PROCESS = "nats";
/** The user that services sign in as. */
export const NATS_USER = "codemesh";
/** How long a stop may take before it is a kill, ms. */
export const NATS_STOP_GRACE_MS = 10_000;

const START_LIMIT_MS = 15_000;

/** Where nats-server is, installed by apt when it is missing. */
export async function ensureNatsServer(progress: Progress): Promise<string> {
  const found = commandPath("nats-server");
  if (found !== undefined) {
    return found;
  }
  await installPackages(["nats-server"], progress);
  if (hasSystemd()) {
    // The package starts a server for the whole machine that nobody asked for.
    await runCommand("systemctl", ["disable", "--now", "nats-server.service"]);
  }
  const installed = commandPath("nats-server");
  if (installed === undefined) {
    throw new Problem("The package nats-server has no nats-server on the PATH.", "Install it from nats.io.");
  }
  return installed;
}

/** The version of a nats-server, `2.9.10`. */
export async function natsVersion(command: string): Promise<string> {
  const text = await runCommand(command, ["--version"]);
  return /v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? text.trim();
}

/** The configuration of a NATS server that only our services can use. */
export function natsConfig(options: {
  /** `host:port`. */
  readonly listen: string;
  readonly storeDirectory: string;
  readonly password: string;
  readonly version: string;
}): string {
  const [major = 0, minor = 0] = options.version.split(".").map(Number);
  return [
    `listen: "${options.listen}"`,
    "max_payload: 4MB",
    `authorization { user: "${NATS_USER}", password: "${options.password}" }`,
    "jetstream {",
    `  store_dir: "${options.storeDirectory}"`,
    // Acknowledged then means stored. Before 2.10 a server cannot be told and stores every two minutes.
    ...(major > 2 || (major === 2 && minor >= 10) ? ["  sync_interval: always"] : []),
    "}",
    "",
  ].join("\n");
}

/** Starts the NATS server unless it runs as it should. */
export async function ensureNats(
  paths: MeshPaths,
  command: string,
  port: number,
  progress: Progress,
): Promise<ProcessRecord> {
  const config = natsConfig({
    listen: `127.0.0.1:${port}`,
    storeDirectory: join(paths.nats, "store"),
    password: readText(paths.natsPassword)?.trim() ?? "",
    version: await natsVersion(command),
  });
  const fingerprint = createHash("sha256").update(command).update(config).digest("hex");
  const old = readRecord(paths, NATS_PROCESS);
  if (old !== undefined && isRunning(old)) {
    if (old.fingerprint === fingerprint) {
      return old;
    }
    await stopProcess(paths, old, NATS_STOP_GRACE_MS);
  }
  writePrivate(paths.natsConfig, config);
  return await progress.step("Starting NATS", async () => {
    const record = await startProcess(paths, {
      name: NATS_PROCESS,
      command,
      arguments: ["-c", paths.natsConfig],
      environment: { PATH: process.env["PATH"] },
      fingerprint,
      address: `nats://127.0.0.1:${port}`,
    });
    await untilListening(record, port);
    return record;
  });
}

async function untilListening(record: ProcessRecord, port: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await greets(port))) {
    const over = await goneWithin(record, 0);
    if (over || performance.now() >= deadline) {
      throw new Problem(
        `NATS ${over ? "ended at its start" : `did not answer within ${START_LIMIT_MS / 1000} s`}. Its last lines (${record.logFile}):\n${lastLines(record.logFile, 15).join("\n")}`,
      );
    }
    await sleep(25);
  }
}

/** Whether a NATS server says hello (`INFO {…}`) at a loopback port. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1", timeout: 1_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => end(data.toString("latin1").startsWith("INFO ")));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
    socket.once("close", () => resolve(false));
  });
}
