import { ensureImage } from "./build-image.js";
import { dockerAt } from "./docker.js";
import type { EngineAddress } from "./docker-host.js";
import { ensureEngine } from "./engine.js";
import { ensureNatsServer } from "./nats-server.js";
import { type MeshPaths, makeDirectories } from "./paths.js";
import type { Progress } from "./progress.js";
import { runtimeImage } from "./runtime-image.js";
import { ensureSecrets, instanceOf } from "./secrets.js";

/** What a mesh needs of its machine before its first process starts. */
export interface Prepared {
  readonly engine: EngineAddress;
  readonly runtimeImage: string;
  readonly natsCommand: string;
}

/** Makes the data directory with its secrets, and finds or installs and starts an engine. */
export async function prepareEngine(paths: MeshPaths, progress: Progress): Promise<EngineAddress> {
  makeDirectories(paths);
  ensureSecrets(paths);
  return await ensureEngine(paths, instanceOf(paths), progress);
}

/** Everything a mesh needs of its machine: data directory, engine, runtime image, nats-server. */
export async function prepare(paths: MeshPaths, progress: Progress): Promise<Prepared> {
  const engine = await prepareEngine(paths, progress);
  const natsCommand = await ensureNatsServer(progress);
  const image = runtimeImage();
  await ensureImage(dockerAt(engine.dockerHost), image, progress);
  return { engine, runtimeImage: image.tag, natsCommand };
}
