import type { DescService } from "@bufbuild/protobuf";
import { healthpb } from "@codemesh/api";
import type { ConnectRouter } from "@connectrpc/connect";
import { createCallerInterceptor } from "./caller.js";
import { createConnectHandler } from "./connect-handler.js";
import type { ListenAddress } from "./environment.js";
import { createErrorInterceptor } from "./error-interceptor.js";
import { createHealthState } from "./health.js";
import type { Logger } from "./logger.js";
import { listenOnePort } from "./one-port.js";
import { routeReflection } from "./reflection.js";
import type { TokenVerifier } from "./token.js";

/** The gateway puts all its calls on one connection. */
const MAX_CONCURRENT_STREAMS = 100_000;

export interface ServeOptions {
  readonly listen: ListenAddress;
  /** The services that `routes` adds; for health and reflection. */
  readonly services: readonly DescService[];
  readonly routes: (router: ConnectRouter) => void;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
}

export interface Server {
  /** `http://host:port`, with the port that was taken. */
  readonly url: string;
  /** What grpc.health.v1 says from now on; false until it is called. */
  setServing(serving: boolean): void;
  /** Says NOT_SERVING, lets calls end for up to 10 s, then closes. */
  close(): Promise<void>;
}

/** Serves gRPC, gRPC-Web and Connect on one port, with health and reflection, to callers the gateway vouches for. */
export async function serve(options: ServeOptions): Promise<Server> {
  const health = createHealthState(options.services.map((service) => service.typeName));
  const handler = createConnectHandler({
    routes(router) {
      options.routes(router);
      health.route(router);
      routeReflection(router, [...options.services, healthpb.Health]);
    },
    interceptors: [createErrorInterceptor(options.logger), createCallerInterceptor(options.verifier)],
    logger: options.logger,
  });
  const port = await listenOnePort({ listen: options.listen, handler, maxConcurrentStreams: MAX_CONCURRENT_STREAMS });
  options.logger.info({ url: port.url }, "listening");
  return {
    url: port.url,
    setServing: health.setServing,
    async close() {
      health.setServing(false);
      health.close();
      await port.close();
    },
  };
}
