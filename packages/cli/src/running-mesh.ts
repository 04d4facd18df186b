import { pingEngine, socketFrom } from "./docker-host.js";
import { NATS_PROCESS } from "./nats-server.js";
import type { MeshPaths } from "./paths.js";
import { isRunning, readRecord } from "./processes.js";
import { SERVICES, type ServiceSettings, serviceProcess } from "./services.js";
import { type MeshState, readState } from "./state.js";

/** The mesh as it runs now, if all of it runs as it should; reads a few files and asks the engine whether it is there. */
export async function runningMesh(paths: MeshPaths, runtimeImage: string): Promise<MeshState | undefined> {
  const state = readState(paths);
  if (state === undefined || state.runtimeImage !== runtimeImage) {
    return undefined;
  }
  const settings: ServiceSettings = { ...state, paths, environment: {} };
  const nats = readRecord(paths, NATS_PROCESS);
  const up =
    nats !== undefined &&
    isRunning(nats) &&
    SERVICES.every((name) => {
      const record = readRecord(paths, name);
      return (
        record !== undefined && isRunning(record) && record.fingerprint === serviceProcess(name, settings).fingerprint
      );
    });
  return up && (await pingEngine(socketFrom(state.dockerHost) ?? "")) !== undefined ? state : undefined;
}
