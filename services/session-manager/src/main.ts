import { SessionService } from "@codemesh/api";
import { Buckets, connectBus } from "@codemesh/bus";
import { createServiceClients, loadTokenVerifier, runService, serve } from "@codemesh/service-kit";
import { monotonicFactory } from "ulid";
import { createBackground } from "./background.js";
import { readConfig } from "./config.js";
import { openExecutorRegistry } from "./executor-registry.js";
import { startReaper } from "./reaper.js";
import { consumeRemovals } from "./removal-consumer.js";
import { createSandboxes } from "./sandboxes.js";
import { createSessionService } from "./session-service.js";
import { openSessionStore } from "./session-store.js";

runService("session-manager", async ({ logger }) => {
  const config = readConfig(process.env);
  const verifier = await loadTokenVerifier(config.CODEMESH_GATEWAY_PUBLIC_KEY_FILE);
  const bus = await connectBus({
    url: config.CODEMESH_NATS_URL,
    user: config.CODEMESH_NATS_USER,
    passwordFile: config.CODEMESH_NATS_PASSWORD_FILE,
    name: "session-manager",
    replicas: config.CODEMESH_KV_REPLICAS,
    logger,
  });
  const now = Date.now;
  const clients = createServiceClients();
  const background = createBackground(logger);
  const store = await openSessionStore(bus, now, logger);
  const registry = await openExecutorRegistry(bus, store.index, clients, now);
  const sandboxes = createSandboxes(registry, clients);
  const service = createSessionService({
    store,
    registry,
    sandboxes,
    background,
    logger,
    now,
    newId: monotonicFactory(),
  });
  const server = await serve({
    listen: config.CODEMESH_LISTEN,
    services: [SessionService],
    routes: (router) => router.service(SessionService, service),
    verifier,
    logger,
  });
  await Promise.all([store.ready, registry.ready]);
  const removals = await consumeRemovals(bus, store, now, logger);
  const reaper = startReaper({ store, registry, keepMs: Buckets.sessions.ttlMs, now, logger });
  server.setServing(true);
  return {
    async stop() {
      await server.close();
      await background.idle();
      await reaper.stop();
      await removals.stop();
      await Promise.all([store.stop(), registry.stop()]);
      clients.close();
      await bus.close();
    },
  };
});
