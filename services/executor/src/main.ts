import { randomUUID } from "node:crypto";
import { cpus } from "node:os";
import { ExecutionService, SandboxFileService, SandboxService } from "@codemesh/api";
import { Buckets, connectBus } from "@codemesh/bus";
import { ConfigError, loadTokenVerifier, runService, serve } from "@codemesh/service-kit";
import { readConfig } from "./config.js";
import { createExecutionService } from "./execution-service.js";
import { createFileService } from "./file-service.js";
import { startHeartbeat } from "./heartbeat.js";
import { Sampler } from "./sampler.js";
import { createDockerEngine } from "./sandbox/docker-engine.js";
import { clearLinks, createSandboxMaker } from "./sandbox/sandbox-maker.js";
import { Sandboxes } from "./sandbox/sandboxes.js";
import { WarmPool } from "./sandbox/warm-pool.js";
import { createSandboxService } from "./sandbox-service.js";
import { createSessionLookup } from "./session-lookup.js";
import { removeLeftovers, startSweep } from "./sweep.js";

runService("executor", async ({ logger }) => {
  const config = readConfig(process.env);
  const owner = { instance: config.CODEMESH_INSTANCE, executor: config.CODEMESH_EXECUTOR_ID };
  const verifier = await loadTokenVerifier(config.CODEMESH_GATEWAY_PUBLIC_KEY_FILE);

  const engine = createDockerEngine(config.CODEMESH_DOCKER_HOST);
  const version = await engine.version();
  const image = await engine.imageId(config.CODEMESH_RUNTIME_IMAGE);
  if (image === undefined) {
    throw new ConfigError(
      `CODEMESH_RUNTIME_IMAGE=${config.CODEMESH_RUNTIME_IMAGE}: the engine at ${config.CODEMESH_DOCKER_HOST} has no such image.`,
    );
  }
  const leftovers = await removeLeftovers(engine, owner);
  await clearLinks(config.CODEMESH_DATA_DIR);
  logger.info({ engine: version, image, leftovers }, "engine ready");

  const bus = await connectBus({
    url: config.CODEMESH_NATS_URL,
    user: config.CODEMESH_NATS_USER,
    passwordFile: config.CODEMESH_NATS_PASSWORD_FILE,
    name: `executor ${owner.executor}`,
    replicas: config.CODEMESH_KV_REPLICAS,
    logger,
  });
  const sessions = await bus.records(Buckets.sessions);
  const executors = await bus.records(Buckets.executors);

  const maker = createSandboxMaker({
    ...owner,
    engine,
    image,
    dataDirectory: config.CODEMESH_DATA_DIR,
    uids: { base: config.CODEMESH_UID_BASE, count: config.CODEMESH_UID_COUNT },
    limits: {
      cpus: config.CODEMESH_SANDBOX_CPUS,
      memoryMib: config.CODEMESH_SANDBOX_MEMORY_MIB,
      pids: config.CODEMESH_SANDBOX_PIDS,
      workspaceMib: config.CODEMESH_WORKSPACE_MIB,
      tmpMib: config.CODEMESH_TMP_MIB,
    },
    cgroupRoot: config.CODEMESH_CGROUP_ROOT,
    logger,
  });
  const pool = new WarmPool({
    target: () => Math.min(config.CODEMESH_WARM_POOL, config.CODEMESH_MAX_SANDBOXES - sandboxes.count),
    parallel: Math.max(2, cpus().length),
    make: maker.make,
    failed: (error) => logger.warn({ err: error }, "no warm sandbox"),
  });
  const sampler = new Sampler(bus);
  const sandboxes = new Sandboxes({ pool, sampler, bus, capacity: config.CODEMESH_MAX_SANDBOXES, logger });
  const lookup = createSessionLookup(sandboxes, sessions);

  const server = await serve({
    listen: config.CODEMESH_LISTEN,
    services: [ExecutionService, SandboxService, SandboxFileService],
    routes(router) {
      router.service(ExecutionService, createExecutionService(lookup));
      router.service(SandboxService, createSandboxService(sandboxes));
      router.service(SandboxFileService, createFileService(lookup));
    },
    verifier,
    logger,
  });
  const heartbeat = await startHeartbeat({
    id: owner.executor,
    address: config.CODEMESH_EXECUTOR_ADVERTISE_URL ?? server.url,
    incarnation: randomUUID(),
    load: () => ({
      capacity: config.CODEMESH_MAX_SANDBOXES,
      sandboxes: sandboxes.count,
      warm: pool.size,
      draining: sandboxes.draining,
    }),
    executors,
    logger,
  });
  const sweep = startSweep({ engine, owner, maker, sandboxes, sessions, logger });
  sampler.start(() => sandboxes.leases());
  pool.start();
  server.setServing(true);

  return {
    async stop() {
      server.setServing(false);
      await Promise.all([sandboxes.drain(), pool.stop(), heartbeat.stop(), sweep.stop()]);
      sampler.stop();
      await server.close();
      await bus.close();
    },
  };
});
