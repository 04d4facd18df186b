import { MAX_MESSAGE_BYTES } from "@codemesh/api";
import { type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "./logger.js";
import type { HttpHandler } from "./one-port.js";

/** Compression costs more than a mesh on one network gains: 12 to 18 times the streaming rate (docs/decisions.md). */
const NEVER_COMPRESS = 0xffffffff;

export interface ConnectHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: Interceptor[];
  readonly logger: Logger;
}

/**
 * A handler for gRPC, gRPC-Web and Connect; 404 for paths of no RPC. In place of connectNodeAdapter, which prints a stack
 * to the console whenever a caller goes away in the middle of an answer.
 */
export function createConnectHandler(options: ConnectHandlerOptions): HttpHandler {
  const router = createConnectRouter({
    interceptors: options.interceptors,
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes: NEVER_COMPRESS,
    readMaxBytes: MAX_MESSAGE_BYTES,
  });
  options.routes(router);
  const handlers = new Map<string, UniversalHandler>(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    handler(universalRequestFromNodeRequest(request, response, undefined, undefined))
      .then((answer) => universalResponseToNodeResponse(answer, response))
      .catch((error: unknown) => {
        // Errors of the RPC are answers by now; what is left is a caller that cannot be written to.
        const message = error instanceof Error ? error.message : String(error);
        options.logger.debug({ rpc: handler.requestPath.slice(1), cause: message }, "the caller went away");
        response.destroy();
      });
  };
}
