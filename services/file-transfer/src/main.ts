import { FileService } from "@codemesh/api";
import { Buckets, connectBus } from "@codemesh/bus";
import { createServiceClients, loadTokenVerifier, runService, serve } from "@codemesh/service-kit";
import { loadConfig } from "./config.js";
import { createFileService } from "./file-service.js";
import { createSandboxFiles } from "./sandbox-files.js";

runService("file-transfer", async ({ logger }) => {
  const config = loadConfig();
  const verifier = await loadTokenVerifier(config.gatewayPublicKeyFile);
  const bus = await connectBus({ ...config.nats, name: "file-transfer", logger });
  const clients = createServiceClients();
  const sandboxes = createSandboxFiles({
    sessions: await bus.records(Buckets.sessions),
    executors: await bus.records(Buckets.executors),
    clients,
  });
  const server = await serve({
    listen: config.listen,
    services: [FileService],
    routes: (router) => router.service(FileService, createFileService(sandboxes)),
    verifier,
    logger,
  });
  server.setServing(true);
  return {
    async stop() {
      await server.close();
      clients.close();
      await bus.close();
    },
  };
});
