import { dockerAt, removeContainersOf } from "../docker.js";
import { findEngine } from "../docker-host.js";
import { exists } from "../files.js";
import { withLock } from "../lock.js";
import { stopProcesses } from "../mesh.js";
import { ENGINE_PROCESS, stopOwnEngine } from "../own-engine.js";
import { homeFrom, type MeshPaths, meshPaths } from "../paths.js";
import { messageOf } from "../problem.js";
import { createProgress, type Progress } from "../progress.js";
import { instanceOf } from "../secrets.js";
import { readState } from "../state.js";

/** `./mesh down`: stops what `./mesh` started and removes this mesh's containers; images and data stay. */
export async function down(): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  if (!exists(paths.run)) {
    process.stdout.write("nothing was running\n");
    return;
  }
  await withLock(paths.lock, progress, async () => {
    const dockerHost = await dockerHostOf(paths);
    const stopped = await stopProcesses(paths, progress);
    const containers = await removeContainers(paths, dockerHost, progress);
    if (await progress.step("Stopping the Docker Engine", () => stopOwnEngine(paths))) {
      stopped.push(ENGINE_PROCESS);
    }
    const what = [...stopped, ...(containers > 0 ? [`${containers} containers`] : [])];
    process.stdout.write(what.length === 0 ? "nothing was running\n" : `stopped ${what.join(", ")}\n`);
  });
}

async function dockerHostOf(paths: MeshPaths): Promise<string | undefined> {
  const known = readState(paths)?.dockerHost;
  if (known !== undefined) {
    return known;
  }
  try {
    return (await findEngine(paths, process.env))?.dockerHost;
  } catch {
    // An engine that does not answer holds no containers that could be removed.
    return undefined;
  }
}

async function removeContainers(paths: MeshPaths, dockerHost: string | undefined, progress: Progress): Promise<number> {
  const instance = instanceOf(paths);
  if (dockerHost === undefined || instance === "") {
    return 0;
  }
  try {
    return await progress.step("Removing containers", () => removeContainersOf(dockerAt(dockerHost), instance));
  } catch (error) {
    progress.note(`Containers of this mesh could not be looked for: ${messageOf(error)}`);
    return 0;
  }
}
