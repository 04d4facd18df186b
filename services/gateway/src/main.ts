import { FileService, healthpb, MeteringService, SessionService } from "@codemesh/api";
import { Buckets, connectBus } from "@codemesh/bus";
import {
  createConnectHandler,
  createErrorInterceptor,
  createHealthState,
  listenOnePort,
  loadTokenSigner,
  routeReflection,
  runService,
} from "@codemesh/service-kit";
import { createBackends } from "./backend.js";
import { readConfig } from "./config.js";
import { createGateway, PUBLIC_SERVICES } from "./gateway.js";
import { mirror } from "./mirror.js";
import { createRefuse } from "./refuse.js";
import { createSessionRoutes } from "./session-routes.js";

const MAX_STREAMS_PER_CONNECTION = 1_000;

runService("gateway", async ({ logger }) => {
  const config = readConfig(process.env);
  const signer = await loadTokenSigner(config.CODEMESH_GATEWAY_PRIVATE_KEY_FILE);
  const bus = await connectBus({
    url: config.CODEMESH_NATS_URL,
    user: config.CODEMESH_NATS_USER,
    passwordFile: config.CODEMESH_NATS_PASSWORD_FILE,
    name: "gateway",
    replicas: config.CODEMESH_KV_REPLICAS,
    logger,
  });
  const keys = await mirror(await bus.records(Buckets.apiKeys));
  const executors = await mirror(await bus.records(Buckets.executors));
  const backends = createBackends();
  const health = createHealthState(PUBLIC_SERVICES.map((service) => service.typeName));
  const handler = createGateway({
    findApiKey: (id) => keys.records.get(id),
    signer,
    routes: createSessionRoutes(await bus.records(Buckets.sessions), executors.records),
    backends,
    refuse: createRefuse(PUBLIC_SERVICES),
    urls: new Map([
      [SessionService.typeName, config.CODEMESH_SESSION_MANAGER_URL],
      [FileService.typeName, config.CODEMESH_FILE_TRANSFER_URL],
      [MeteringService.typeName, config.CODEMESH_METERING_URL],
    ]),
    otherwise: createConnectHandler({
      routes(router) {
        health.route(router);
        routeReflection(router, [...PUBLIC_SERVICES, healthpb.Health]);
      },
      interceptors: [createErrorInterceptor(logger)],
      logger,
    }),
    logger,
  });
  const port = await listenOnePort({
    listen: config.CODEMESH_LISTEN,
    handler,
    maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION,
  });
  health.setServing(true);
  logger.info({ url: port.url }, "listening");
  return {
    async stop() {
      health.setServing(false);
      health.close();
      await port.close();
      backends.close();
      await keys.stop();
      await executors.stop();
      await bus.close();
    },
  };
});
