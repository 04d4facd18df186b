import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  containersOf,
  createApiKey,
  createProgress,
  dockerAt,
  ensureSecrets,
  homeFrom,
  instanceOf,
  isRunning,
  makeDirectories,
  meshPaths,
  NATS_PROCESS,
  NATS_USER,
  prepare,
  readRecord,
  removeContainersOf,
  SERVICES,
  startMesh,
  stopProcesses,
  withLock,
} from "@codemesh/cli";
import type { TestProject } from "vitest/node";
import { type MeshAddresses, TEST_ENVIRONMENT } from "./mesh.js";

// One mesh for all tests, of their own: its data directory, ports, keys and container label are nobody else's. Engine and
// image are those of ./mesh. When it ends nothing of it may be left, or the run fails.

/** Starts the mesh, tells the tests where it is, and returns what ends it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = createProgress(process.stderr);
  const userPaths = meshPaths(homeFrom(process.env));
  makeDirectories(userPaths);
  const { engine, runtimeImage, natsCommand } = await withLock(userPaths.lock, progress, () =>
    prepare(userPaths, progress),
  );

  const paths = meshPaths(mkdtempSync(join(tmpdir(), "codemesh-test-")));
  makeDirectories(paths);
  ensureSecrets(paths);
  const instance = instanceOf(paths);
  const docker = dockerAt(engine.dockerHost);

  const tearDown = async () => {
    const pids = [...SERVICES, NATS_PROCESS].flatMap((name) => readRecord(paths, name) ?? []);
    await stopProcesses(paths, progress);
    const containers = await containersOf(docker, instance);
    await removeContainersOf(docker, instance);
    const links = readdirSync(join(paths.executor, "links"), { withFileTypes: true, recursive: true });
    const leftovers = [
      ...pids.filter(isRunning).map(({ name, pid }) => `process ${pid} (${name})`),
      ...containers.map((id) => `container ${id.slice(0, 12)}`),
      ...links.map((entry) => `${entry.parentPath}/${entry.name}`),
    ];
    if (leftovers.length > 0) {
      throw new Error(`The mesh of the tests left behind: ${leftovers.join(", ")}. Its logs are in ${paths.logs}.`);
    }
    rmSync(paths.home, { recursive: true, force: true });
  };

  try {
    const state = await startMesh(
      { paths, dockerHost: engine.dockerHost, runtimeImage, natsCommand, environment: TEST_ENVIRONMENT },
      progress,
    );
    const bus = { natsUrl: state.natsUrl, passwordFile: paths.natsPassword };
    const addresses: MeshAddresses = {
      ...state,
      address: state.gatewayUrl,
      home: paths.home,
      dockerSocket: engine.dockerHost.replace(/^unix:\/\//, ""),
      natsUser: NATS_USER,
      natsPasswordFile: paths.natsPassword,
      key: await createApiKey(bus, { tenant: "alice" }),
      otherKey: await createApiKey(bus, { tenant: "bob" }),
      expiredKey: await createApiKey(bus, { tenant: "alice", expireTime: new Date(Date.now() - 60_000) }),
    };
    project.provide("mesh", addresses);
  } catch (error) {
    await tearDown().catch((leftover: Error) => progress.note(leftover.message));
    throw error;
  }
  return tearDown;
}
