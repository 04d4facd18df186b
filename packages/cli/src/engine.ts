import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_SOCKET, type EngineAddress, findEngine, pingEngine } from "./docker-host.js";
import { startOwnEngine } from "./own-engine.js";
import { hasSystemd, installPackages } from "./packages.js";
import type { MeshPaths } from "./paths.js";
import { Problem } from "./problem.js";
import type { Progress } from "./progress.js";
import { commandPath } from "./run-command.js";

const SYSTEM_START_LIMIT_MS = 15_000;

/** A Docker Engine that answers: one that is there, else our own, its package installed when it is missing. */
export async function ensureEngine(paths: MeshPaths, instance: string, progress: Progress): Promise<EngineAddress> {
  const found = await findEngine(paths, process.env);
  if (found !== undefined) {
    return found;
  }
  if (commandPath("dockerd") === undefined) {
    await installPackages(["docker.io"], progress);
    // Where systemd runs the machine the package starts the system's engine; elsewhere nothing does.
    await waitForSystemEngine(progress);
  }
  const engine = (await findEngine(paths, process.env)) ?? (await startedEngine(paths, instance, progress));
  if (engine === undefined) {
    throw new Problem("The Docker Engine is too old.", "Update it to Docker Engine 20.10 or newer.");
  }
  return engine;
}

async function startedEngine(
  paths: MeshPaths,
  instance: string,
  progress: Progress,
): Promise<EngineAddress | undefined> {
  await startOwnEngine(paths, instance, progress);
  return await findEngine(paths, process.env);
}

async function waitForSystemEngine(progress: Progress): Promise<void> {
  if (!hasSystemd()) {
    return;
  }
  await progress.step("Waiting for the system's Docker Engine", async () => {
    const deadline = performance.now() + SYSTEM_START_LIMIT_MS;
    while ((await pingEngine(DEFAULT_SOCKET)) === undefined && performance.now() < deadline) {
      await sleep(200);
    }
  });
}
