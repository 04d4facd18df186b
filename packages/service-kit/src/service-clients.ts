import type { DescService } from "@bufbuild/protobuf";
import { MAX_MESSAGE_BYTES } from "@codemesh/api";
import { createGrpcTransport, type GrpcTransport } from "@codemesh/grpc-transport";
import { type Client, createClient } from "@connectrpc/connect";
import { LRUCache } from "lru-cache";

const MAX_ADDRESSES = 1_000;

/** Clients of other services, one connection per address. */
export interface ServiceClients {
  /** A typed client of a service at `http://host:port`. */
  clientFor<S extends DescService>(service: S, url: string): Client<S>;
  /** Ends all connections. */
  close(): void;
}

/** Creates clients that connect at their first call and again after a break. */
export function createServiceClients(): ServiceClients {
  const transports = new LRUCache<string, GrpcTransport>({
    max: MAX_ADDRESSES,
    dispose: (transport) => transport.close(),
  });
  const clients = new WeakMap<GrpcTransport, Map<DescService, Client<DescService>>>();
  return {
    clientFor<S extends DescService>(service: S, url: string): Client<S> {
      let transport = transports.get(url);
      if (transport === undefined) {
        transport = createGrpcTransport({ baseUrl: url, readMaxBytes: MAX_MESSAGE_BYTES });
        transports.set(url, transport);
        clients.set(transport, new Map());
      }
      const known = clients.get(transport) as Map<DescService, Client<DescService>>;
      let client = known.get(service);
      if (client === undefined) {
        client = createClient(service, transport);
        known.set(service, client);
      }
      return client as Client<S>;
    },
    close() {
      transports.clear();
    },
  };
}
