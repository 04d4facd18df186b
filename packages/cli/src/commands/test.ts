import { spawnForeground } from "../foreground.js";
import { withLock } from "../lock.js";
import { installPackages } from "../packages.js";
import { homeFrom, makeDirectories, meshPaths } from "../paths.js";
import { prepare } from "../prepare.js";
import { createProgress, type Progress } from "../progress.js";
import { inRepository } from "../repository.js";
import { runCommand } from "../run-command.js";
import { ensureTestClients } from "../test-clients.js";

/** What one of the tests generates and runs a stock Python client with. */
const PYTHON_PACKAGES = ["python3-grpc-tools", "python3-grpcio"];

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
  await ensurePythonTools(progress);
  const vitest = inRepository("node_modules", "vitest", "vitest.mjs");
  return await spawnForeground(process.execPath, [vitest, "run", ...vitestArguments], {
    cwd: inRepository(),
    env: { ...process.env, DOCKER_HOST: engine.dockerHost },
  });
}

async function ensurePythonTools(progress: Progress): Promise<void> {
  try {
    await runCommand("/usr/bin/python3", ["-c", "import grpc, grpc_tools"]);
  } catch {
    await installPackages(PYTHON_PACKAGES, progress);
  }
}
