import { rmSync } from "node:fs";
import { ensureOwnKey } from "./api-keys.js";
import { untilServing } from "./health.js";
import { ensureNats, NATS_PROCESS, NATS_STOP_GRACE_MS } from "./nats-server.js";
import type { MeshPaths } from "./paths.js";
import { freePort } from "./ports.js";
import { isRunning, type ProcessRecord, readRecord, startProcess, stopProcess } from "./processes.js";
import type { Progress } from "./progress.js";
import { instanceOf } from "./secrets.js";
import {
  DEFAULT_PORTS,
  type MeshPorts,
  SERVICES,
  type ServiceName,
  type ServiceSettings,
  serviceProcess,
} from "./services.js";
import { type MeshState, readState, writeState } from "./state.js";

/** A service that is not up by then does not come up, ms. */
const SERVE_LIMIT_MS = 60_000;
/** Services drain for up to 25 s. */
const SERVICE_STOP_GRACE_MS = 30_000;

/** What a mesh is started with, once its engine, image and secrets are there. */
export interface MeshOptions {
  readonly paths: MeshPaths;
  readonly dockerHost: string;
  readonly runtimeImage: string;
  readonly natsCommand: string;
  /** Ports to take if they are free; any free ones when absent. */
  readonly preferredPorts?: MeshPorts;
  readonly environment?: ServiceSettings["environment"];
}

/** Starts what is missing of a mesh, and anew what runs as something else than it should; returns when all of it serves. */
export async function startMesh(options: MeshOptions, progress: Progress): Promise<MeshState> {
  const { paths } = options;
  const ports = await choosePorts(paths, options.preferredPorts);
  const nats = await ensureNats(paths, options.natsCommand, ports.nats, progress);
  await ensureOwnKey(paths, nats.address);
  const settings: ServiceSettings = {
    paths,
    instance: instanceOf(paths),
    ports,
    dockerHost: options.dockerHost,
    runtimeImage: options.runtimeImage,
    environment: options.environment ?? {},
  };
  // Known before all of it serves, so that a start that failed half-way goes on with the same ports.
  const state: MeshState = {
    instance: settings.instance,
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    natsUrl: nats.address,
    dockerHost: options.dockerHost,
    runtimeImage: options.runtimeImage,
    ports,
  };
  writeState(paths, state);
  await progress.step("Starting the services", async (detail) => {
    const waiting = new Set<string>(SERVICES);
    await Promise.all(
      SERVICES.map(async (name) => {
        await ensureService(name, settings, progress);
        waiting.delete(name);
        detail(`waiting for ${[...waiting].join(", ")}`);
      }),
    );
  });
  return state;
}

/** Starts one service of a mesh unless it runs as it should; returns when it serves. */
export async function ensureService(
  name: ServiceName,
  settings: ServiceSettings,
  progress: Progress,
): Promise<ProcessRecord> {
  const spec = serviceProcess(name, settings);
  const old = readRecord(settings.paths, name);
  if (old !== undefined && isRunning(old)) {
    if (old.fingerprint === spec.fingerprint) {
      await untilServing(old, SERVE_LIMIT_MS);
      return old;
    }
    progress.note(`${name} runs with other code or settings than now; starting it anew.`);
    await stopProcess(settings.paths, old, SERVICE_STOP_GRACE_MS);
  }
  const record = await startProcess(settings.paths, spec);
  await untilServing(record, SERVE_LIMIT_MS);
  return record;
}

/** Stops the services, the gateway first, then NATS. Returns the names of what ran. */
export async function stopProcesses(paths: MeshPaths, progress: Progress): Promise<string[]> {
  const stopped: string[] = [];
  const stop = async (name: string, graceMs: number) => {
    const record = readRecord(paths, name);
    if (record === undefined) {
      return;
    }
    if (isRunning(record)) {
      stopped.push(name);
    }
    await stopProcess(paths, record, graceMs);
  };
  await progress.step("Stopping the services", async (detail) => {
    for (const name of SERVICES.toReversed()) {
      detail(name);
      await stop(name, SERVICE_STOP_GRACE_MS);
    }
  });
  await progress.step("Stopping NATS", () => stop(NATS_PROCESS, NATS_STOP_GRACE_MS));
  rmSync(paths.state, { force: true });
  return stopped;
}

/** The ports of what runs stay as they are; the others are those of the last time, if they are free. */
async function choosePorts(paths: MeshPaths, preferred: MeshPorts | undefined): Promise<MeshPorts> {
  const last = readState(paths)?.ports;
  const ports: Partial<Record<keyof MeshPorts, number>> = {};
  for (const name of Object.keys(DEFAULT_PORTS) as (keyof MeshPorts)[]) {
    const record = readRecord(paths, name);
    const known = last?.[name];
    ports[name] =
      known !== undefined && record !== undefined && isRunning(record)
        ? known
        : await freePort(known ?? preferred?.[name] ?? 0, Object.values(ports));
  }
  return ports as MeshPorts;
}
