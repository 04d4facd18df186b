import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ownSocket, pingEngine } from "./docker-host.js";
import { exists, lastLines, readText, writePrivate } from "./files.js";
import type { MeshPaths } from "./paths.js";
import { Problem } from "./problem.js";
import { goneWithin, isRunning, type ProcessRecord, readRecord, startProcess, stopProcess } from "./processes.js";
import type { Progress } from "./progress.js";
import { commandPath, runCommand } from "./run-command.js";

// A Docker Engine of our own, for a machine that has none. It leaves the host's network as it was: no bridge, no iptables
// rules, no forwarding. Sandboxes have no network, and images are built with the host's.

const START_LIMIT_MS = 60_000;
const STOP_GRACE_MS = 20_000;
const POLL_MS = 100;

/** Tried in this order: overlay2 fails where the data directory itself lies on an overlay, as in a container. */
const STORAGE_DRIVERS = ["overlay2", "vfs"] as const;

/** The name of our engine's record and log. */
export const ENGINE_PROCESS = "engine";

/** Starts our own engine and returns when it answers. */
export async function startOwnEngine(paths: MeshPaths, instance: string, progress: Progress): Promise<void> {
  const dockerd = commandPath("dockerd");
  if (dockerd === undefined) {
    throw new Problem("dockerd is not installed.", "Install docker.io, or Docker Engine from docs.docker.com.");
  }
  if (process.getuid?.() !== 0) {
    throw new Problem(
      "No Docker Engine answers, and only root can start one.",
      "Start the system's (sudo systemctl start docker) and join its group, or run ./mesh as root.",
    );
  }
  await progress.step("Starting a Docker Engine", async (detail) => {
    const drivers = driversToTry(paths);
    for (const [index, driver] of drivers.entries()) {
      detail(`storage ${driver}`);
      try {
        await startWith(paths, instance, dockerd, driver);
        return;
      } catch (error) {
        const log = lastLines(join(paths.logs, `${ENGINE_PROCESS}.log`), 200).join("\n");
        if (index + 1 < drivers.length && /driver not supported|overlay|storage-driver/.test(log)) {
          continue;
        }
        throw error;
      }
    }
  });
}

/** Ends our own engine, if it runs. Returns whether it did. */
export async function stopOwnEngine(paths: MeshPaths): Promise<boolean> {
  const record = readRecord(paths, ENGINE_PROCESS);
  if (record === undefined) {
    return false;
  }
  const running = isRunning(record);
  await stopProcess(paths, record, STOP_GRACE_MS);
  await unmountBelow(paths.engine);
  return running;
}

/** An engine leaves mounts behind, more of them when it was killed; its directory could not be removed. */
async function unmountBelow(directory: string): Promise<void> {
  const points = mountPointsIn(readText("/proc/self/mounts") ?? "").filter((point) =>
    point.startsWith(`${directory}/`),
  );
  for (const point of points.toReversed()) {
    try {
      await runCommand("umount", [point]);
    } catch {
      // Busy: a process of somebody else's has it open, and it goes with the next stop.
    }
  }
}

/** The mount points in a text of the form of /proc/mounts, in the order in which they were mounted. */
export function mountPointsIn(mounts: string): string[] {
  return mounts
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .map((point) =>
      point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

async function startWith(paths: MeshPaths, instance: string, dockerd: string, driver: string): Promise<void> {
  const configFile = join(paths.engine, "daemon.json");
  const config = JSON.stringify(daemonConfig(paths, driver), undefined, 2);
  writePrivate(configFile, `${config}\n`);
  const old = readRecord(paths, ENGINE_PROCESS);
  if (old !== undefined && isRunning(old)) {
    await stopProcess(paths, old, STOP_GRACE_MS);
  }
  // dockerd refuses to start when the pid in its pid file is alive, whoever has that pid now.
  rmSync(join(paths.engine, "docker.pid"), { force: true });
  // With namespaces of its own it can share the machine's containerd with another engine.
  const record = await startProcess(paths, {
    name: ENGINE_PROCESS,
    command: dockerd,
    // Flags, since versions differ in what the configuration file calls them.
    arguments: [
      `--config-file=${configFile}`,
      `--containerd-namespace=codemesh-${instance}`,
      `--containerd-plugins-namespace=codemesh-${instance}-plugins`,
    ],
    environment: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin` },
    fingerprint: createHash("sha256").update(config).digest("hex"),
    address: `unix://${ownSocket(paths)}`,
  });
  try {
    await untilAnswering(paths, record);
  } catch (error) {
    await stopProcess(paths, record, STOP_GRACE_MS);
    throw error;
  }
  writePrivate(join(paths.engine, "storage-driver"), driver);
}

async function untilAnswering(paths: MeshPaths, record: ProcessRecord): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while ((await pingEngine(ownSocket(paths))) === undefined) {
    const over = await goneWithin(record, 0);
    if (over || performance.now() >= deadline) {
      throw new Problem(
        `The Docker Engine ${over ? "ended at its start" : `did not answer within ${START_LIMIT_MS / 1000} s`}. Its last lines (${record.logFile}):\n${lastLines(record.logFile, 15).join("\n")}`,
        "./mesh doctor checks what an engine needs.",
      );
    }
    await sleep(POLL_MS);
  }
}

/** Images lie in the driver that stored them, so the one that worked once is the only one from then on. */
function driversToTry(paths: MeshPaths): readonly string[] {
  const known = readText(join(paths.engine, "storage-driver"))?.trim();
  return known !== undefined && exists(join(paths.engine, "data")) ? [known] : STORAGE_DRIVERS;
}

/** The settings of our engine. */
function daemonConfig(paths: MeshPaths, driver: string): Record<string, unknown> {
  return {
    hosts: [`unix://${ownSocket(paths)}`],
    "data-root": join(paths.engine, "data"),
    "exec-root": join(paths.engine, "run"),
    pidfile: join(paths.engine, "docker.pid"),
    "storage-driver": driver,
    bridge: "none",
    iptables: false,
    "ip-forward": false,
    "ip-masq": false,
    "shutdown-timeout": 5,
  };
}
