import type { DescService } from "@bufbuild/protobuf";
import type { HttpRequest, HttpResponse } from "@codemesh/service-kit";
import { type ConnectError, createConnectRouter, createContextKey, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";

import { plainGrpcMessage } from "./grpc-message.js";

const errorKey = createContextKey<ConnectError | undefined>(undefined);

/** Answers a call with an error, in the protocol the call is made in. */
export type Refuse = (request: HttpRequest, response: HttpResponse, path: string, error: ConnectError) => Promise<void>;

/**
 * Creates the answer for the RPCs of these services. Connect's own handlers write it: they are given an empty message in
 * the call's protocol and an interceptor that throws, so that gRPC, gRPC-Web and Connect clients each read it natively.
 */
export function createRefuse(services: readonly DescService[]): Refuse {
  const router = createConnectRouter({
    interceptors: [
      () => (request) => {
        throw request.contextValues.get(errorKey);
      },
    ],
  });
  for (const service of services) {
    router.service(service, {});
  }
  const handlers = new Map<string, UniversalHandler>(router.handlers.map((handler) => [handler.requestPath, handler]));

  return async (request, response, path, error) => {
    const handler = handlers.get(path);
    // What is left of the request is let in and dropped; a peer that still sends would otherwise never read the answer.
    request.resume();
    if (handler === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const header = new Headers();
    for (const name of ["content-type", "connect-protocol-version"]) {
      const value = request.headers[name];
      if (typeof value === "string") {
        header.set(name, value);
      }
    }
    const answer = await handler({
      httpVersion: request.httpVersion,
      url: `http://gateway${path}`,
      method: "POST",
      header,
      body: emptyMessage(header.get("content-type") ?? ""),
      signal: new AbortController().signal,
      contextValues: createContextValues().set(errorKey, error),
    });
    for (const headers of [answer.header, answer.trailer]) {
      const message = headers?.get("grpc-message");
      if (message) {
        headers?.set("grpc-message", plainGrpcMessage(message));
      }
    }
    await universalResponseToNodeResponse(answer, response);
  };
}

async function* emptyMessage(contentType: string): AsyncGenerator<Uint8Array> {
  const payload = new TextEncoder().encode(contentType.endsWith("json") ? "{}" : "");
  if (contentType === "application/json" || contentType === "application/proto") {
    yield payload;
    return;
  }
  const envelope = new Uint8Array(5 + payload.length);
  new DataView(envelope.buffer).setUint32(1, payload.length);
  envelope.set(payload, 5);
  yield envelope;
}
