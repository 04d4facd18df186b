import { ExecutionService, FileService, MeteringService, SessionService } from "@codemesh/api";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { mesh } from "../mesh/mesh.js";

/** A client of every public service. */
export interface Clients {
  readonly sessions: Client<typeof SessionService>;
  readonly executions: Client<typeof ExecutionService>;
  readonly files: Client<typeof FileService>;
  readonly metering: Client<typeof MeteringService>;
}

/** Headers that carry an API key. */
export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** A gRPC transport that sends these headers with every call. */
export function transportWith(headers: Readonly<Record<string, string>>, baseUrl = mesh().address): Transport {
  const addHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) {
      request.header.set(name, value);
    }
    return next(request);
  };
  return createGrpcTransport({
    baseUrl,
    interceptors: [addHeaders],
    // The tests move random bytes, which gzip makes no smaller.
    acceptCompression: [],
    compressMinBytes: 0xffffffff,
  });
}

/** Clients over a transport. */
export function clientsOver(transport: Transport): Clients {
  return {
    sessions: createClient(SessionService, transport),
    executions: createClient(ExecutionService, transport),
    files: createClient(FileService, transport),
    metering: createClient(MeteringService, transport),
  };
}

const known = new Map<string, Clients>();

/** Clients of the gateway with an API key, by default that of tenant A. */
export function clients(key = mesh().key): Clients {
  let found = known.get(key);
  if (found === undefined) {
    found = clientsOver(transportWith(bearer(key)));
    known.set(key, found);
  }
  return found;
}
