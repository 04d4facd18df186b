import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { MeteringService } from "@codemesh/api";
import { connectBus } from "@codemesh/bus";
import { loadTokenVerifier, runService, serve } from "@codemesh/service-kit";
import { readConfig } from "./config.js";
import { openLedger } from "./ledger.js";
import { createMeteringService } from "./metering-service.js";
import { consumeUsage } from "./usage-consumer.js";

runService("metering", async ({ logger }) => {
  const config = readConfig(process.env);
  const verifier = await loadTokenVerifier(config.CODEMESH_GATEWAY_PUBLIC_KEY_FILE);
  await mkdir(config.CODEMESH_DATA_DIR, { recursive: true, mode: 0o700 });
  const ledger = openLedger(join(config.CODEMESH_DATA_DIR, "ledger.sqlite"));
  const bus = await connectBus({
    url: config.CODEMESH_NATS_URL,
    user: config.CODEMESH_NATS_USER,
    passwordFile: config.CODEMESH_NATS_PASSWORD_FILE,
    name: "metering",
    replicas: config.CODEMESH_KV_REPLICAS,
    logger,
  });
  const usage = await consumeUsage(bus, ledger, logger);
  const service = createMeteringService(ledger);
  const server = await serve({
    listen: config.CODEMESH_LISTEN,
    services: [MeteringService],
    routes: (router) => router.service(MeteringService, service),
    verifier,
    logger,
  });
  server.setServing(true);
  return {
    async stop() {
      await server.close();
      await usage.stop();
      await bus.close();
      ledger.close();
    },
  };
});
