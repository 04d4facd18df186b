import { ensureImage } from "../build-image.js";
import { dockerAt } from "../docker.js";
import { withLock } from "../lock.js";
import { homeFrom, makeDirectories, meshPaths } from "../paths.js";
import { prepareEngine } from "../prepare.js";
import { createProgress } from "../progress.js";
import { runtimeImage } from "../runtime-image.js";

/** `./mesh image`: builds the image that sessions run in, if the engine does not have it, and prints its tag. */
export async function image(): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  makeDirectories(paths);
  await withLock(paths.lock, progress, async () => {
    const engine = await prepareEngine(paths, progress);
    const build = runtimeImage();
    await ensureImage(dockerAt(engine.dockerHost), build, progress);
    process.stdout.write(`${build.tag}\n`);
  });
}
