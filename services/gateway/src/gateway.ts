import { constants } from "node:http2";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  connectErrorFromRefusal,
  ExecutionService,
  FileService,
  MAX_MESSAGE_BYTES,
  MeteringService,
  Refusal,
  SessionService,
} from "@codemesh/api";
import { type HttpHandler, type HttpRequest, type Logger, TOKEN_HEADER, type TokenSigner } from "@codemesh/service-kit";
import { Code, type ConnectError } from "@connectrpc/connect";
import { authenticate, type FindApiKey, type Principal } from "./authenticate.js";
import type { Backends } from "./backend.js";
import { firstMessage } from "./first-message.js";
import { endToEndHeaders, passOn } from "./proxy.js";
import type { Refuse } from "./refuse.js";
import type { SessionRoutes } from "./session-routes.js";

// The life of a call: whose is it (API key), where does it go (service, session), pass it on with a token in place of the
// key. Calls of the ExecutionService go to the executor that holds their session; all others to their service.

/** The services that the gateway lets callers reach. */
export const PUBLIC_SERVICES: readonly DescService[] = [SessionService, ExecutionService, FileService, MeteringService];

const METHODS = new Map<string, DescMethod>(
  PUBLIC_SERVICES.flatMap((service) =>
    service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const),
  ),
);
const MAX_BODY_BYTES = MAX_MESSAGE_BYTES + 5;
const RETRY_AFTER_MS = 1_000;
/** How long a client may go on sending after its answer. */
const STILL_SENDING_MS = 1_000;
/** The key stays here; a token from outside proves nothing. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set(["authorization", "x-api-key", TOKEN_HEADER]);

export interface GatewayParts {
  readonly findApiKey: FindApiKey;
  readonly signer: TokenSigner;
  readonly routes: SessionRoutes;
  readonly backends: Backends;
  readonly refuse: Refuse;
  /** `http://host:port` of the services with one address; by type name. */
  readonly urls: ReadonlyMap<string, string>;
  /** Answers what is no public RPC: health and reflection. */
  readonly otherwise: HttpHandler;
  readonly logger: Logger;
}

/** Creates the handler of the gateway's one port. */
export function createGateway(parts: GatewayParts): HttpHandler {
  return (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const method = METHODS.get(path);
    if (method === undefined) {
      parts.otherwise(request, response);
      return;
    }
    endWithAnswer(response);
    void handle(parts, request, response, method).catch(async (error: unknown) => {
      if (!response.destroyed && !response.headersSent) {
        await parts.refuse(request, response, path, reported(error, path, parts.logger));
      }
    });
  };
}

/** An answered call is over, also for a client that is still sending: its stream would otherwise stay open for ever. */
function endWithAnswer(response: Parameters<HttpHandler>[1]): void {
  if ("stream" in response) {
    const { stream } = response;
    stream.once("finish", () => {
      // Trailers go out after this event, and a reset must not overtake them.
      const limit = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), STILL_SENDING_MS);
      stream.once("close", () => clearTimeout(limit));
    });
  }
}

async function handle(
  parts: GatewayParts,
  request: HttpRequest,
  response: Parameters<HttpHandler>[1],
  method: DescMethod,
): Promise<void> {
  const principal = authenticate(request.headers, parts.findApiKey, Date.now());
  const token = parts.signer.sign(principal);
  const { url, body } = await target(parts, request, method, principal);
  const upstream = parts.backends.request(url, {
    ...endToEndHeaders(request.headers, NOT_PASSED_ON),
    ":method": request.method ?? "POST",
    ":path": request.url ?? "/",
    [TOKEN_HEADER]: await token,
  });
  try {
    await passOn(request, response, upstream, body);
  } catch (cause) {
    const reason = method.parent === ExecutionService ? "EXECUTOR_UNAVAILABLE" : "SERVICE_UNAVAILABLE";
    throw new Refusal(Code.Unavailable, reason, `${method.parent.name} cannot be reached now; try again.`, {
      retryAfterMs: RETRY_AFTER_MS,
      cause,
    });
  }
}

async function target(
  parts: GatewayParts,
  request: HttpRequest,
  method: DescMethod,
  principal: Principal,
): Promise<{ url: string; body?: Buffer }> {
  const url = parts.urls.get(method.parent.typeName);
  if (url !== undefined) {
    return { url };
  }
  const body = await wholeBody(request);
  return { url: await parts.routes.urlFor(principal.tenant, firstMessage(method, request.headers, body)), body };
}

function wholeBody(request: HttpRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        request.off("data", onData);
        reject(
          new Refusal(
            Code.InvalidArgument,
            "MESSAGE_TOO_LARGE",
            `The request is larger than ${MAX_MESSAGE_BYTES} bytes; send large data as a file.`,
            { metadata: { max_bytes: String(MAX_MESSAGE_BYTES) } },
          ),
        );
        return;
      }
      chunks.push(chunk);
    };
    const onClose = () => reject(new Refusal(Code.Canceled, "CALL_CANCELLED", "The caller went away."));
    request.on("data", onData);
    request.once("end", () => {
      request.off("close", onClose);
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.once("error", reject);
    request.once("close", onClose);
  });
}

function reported(error: unknown, path: string, logger: Logger): ConnectError {
  if (error instanceof Refusal) {
    const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
    logger.info({ rpc: path.slice(1), code: Code[error.code], reason: error.reason, ...cause }, error.message);
    return connectErrorFromRefusal(error);
  }
  logger.error({ rpc: path.slice(1), err: error }, "internal error");
  return connectErrorFromRefusal(new Refusal(Code.Internal, "INTERNAL_ERROR", "Something failed on our side."));
}
