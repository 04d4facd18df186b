import { spawnForeground } from "../foreground.js";
import { withLock } from "../lock.js";
import { homeFrom, makeDirectories, meshPaths } from "../paths.js";
import { prepare } from "../prepare.js";
import { createProgress } from "../progress.js";
import { inRepository } from "../repository.js";
import { ensureTestClients } from "../test-clients.js";

/**
 * `./mesh test`: engine, image and nats-server as for `up`, and the tests' own needs, then all tests; they start a mesh
 * of their own.
 */
export async function test(vitestArguments: readonly string[]): Promise<number> {
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  makeDirectories(paths);
  const { engine } = await withLock(paths.lock, progress, async () => {
    await ensureTestClients(progress);
    return await prepare(paths, progress);
  });
  const vitest = inRepository("node_modules", "vitest", "vitest.mjs");
  return await spawnForeground(process.execPath, [vitest, "run", ...vitestArguments], {
    cwd: inRepository(),
    env: { ...process.env, DOCKER_HOST: engine.dockerHost },
  });
}
