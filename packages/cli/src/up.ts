import { withLock } from "./lock.js";
import { startMesh } from "./mesh.js";
import { type MeshPaths, makeDirectories } from "./paths.js";
import { prepare } from "./prepare.js";
import type { Progress } from "./progress.js";
import { DEFAULT_PORTS } from "./services.js";
import type { MeshState } from "./state.js";

/** Starts what is missing of this user's mesh, from the engine to the gateway; returns when all of it serves. */
export async function bringUp(paths: MeshPaths, progress: Progress): Promise<MeshState> {
  makeDirectories(paths);
  return await withLock(paths.lock, progress, async () => {
    const { engine, runtimeImage, natsCommand } = await prepare(paths, progress);
    return await startMesh(
      { paths, dockerHost: engine.dockerHost, runtimeImage, natsCommand, preferredPorts: DEFAULT_PORTS },
      progress,
    );
  });
}
