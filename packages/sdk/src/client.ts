import { ExecutionService, FileService, MAX_MESSAGE_BYTES, MeteringService, SessionService } from "@codemesh/api";
import { createGrpcTransport } from "@codemesh/grpc-transport";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { refusingTransport } from "./errors.js";

const DEFAULT_ADDRESS = "http://127.0.0.1:4700";

export interface ConnectOptions {
  /** `http://host:port` of the gateway. Default: `CODEMESH_ADDRESS`, else the mesh on this machine. */
  readonly address?: string;
  /** Default: `CODEMESH_API_KEY`. */
  readonly apiKey?: string;
}

/** The services of a mesh, as one caller. Calls fail with a Refusal when the mesh refuses them. */
export interface CodemeshClient {
  readonly sessions: Client<typeof SessionService>;
  readonly executions: Client<typeof ExecutionService>;
  readonly files: Client<typeof FileService>;
  readonly metering: Client<typeof MeteringService>;
  /** Ends the connection; calls under way fail. */
  close(): void;
}

/** Makes a client of a mesh; it connects at its first call. */
export function connect(options: ConnectOptions = {}): CodemeshClient {
  const address = options.address ?? (process.env["CODEMESH_ADDRESS"] || DEFAULT_ADDRESS);
  const apiKey = options.apiKey ?? process.env["CODEMESH_API_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw new Error("There is no API key: pass apiKey, or set CODEMESH_API_KEY.");
  }
  const transport = createGrpcTransport({
    baseUrl: address.includes("://") ? address : `http://${address}`,
    readMaxBytes: MAX_MESSAGE_BYTES,
  });
  return clientOver(transport, apiKey, () => transport.close());
}

/** A client over any transport. */
export function clientOver(transport: Transport, apiKey: string, close: () => void): CodemeshClient {
  const authorized = refusingTransport(authorizedTransport(transport, apiKey));
  return {
    sessions: createClient(SessionService, authorized),
    executions: createClient(ExecutionService, authorized),
    files: createClient(FileService, authorized),
    metering: createClient(MeteringService, authorized),
    close,
  };
}

function authorizedTransport(transport: Transport, apiKey: string): Transport {
  const authorized = (header: ConstructorParameters<typeof Headers>[0]) => {
    const headers = new Headers(header);
    headers.set("authorization", `Bearer ${apiKey}`);
    return headers;
  };
  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) =>
      transport.unary(method, signal, timeoutMs, authorized(header), input, contextValues),
    stream: (method, signal, timeoutMs, header, input, contextValues) =>
      transport.stream(method, signal, timeoutMs, authorized(header), input, contextValues),
  };
}
