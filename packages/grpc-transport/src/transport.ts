import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import {
  type CallOptions,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type Metadata,
} from "@grpc/grpc-js";
import { connectErrorFrom } from "./errors.js";
import { type HeaderSource, headersFrom, metadataFrom } from "./metadata.js";

// Connect's generated clients over grpc-js: the types of the one and the wire of the other, which carries about twice the
// messages per second. Messages are encoded once and handed over as they are; a response stream that is not read stops
// the sender by HTTP/2 flow control.

const WINDOW_BYTES = 4 << 20;
const KEEPALIVE_MS = 30_000;

export interface GrpcTransportOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly baseUrl: string;
  /** The largest message to accept, bytes. */
  readonly readMaxBytes: number;
  /** A certificate authority to trust instead of the system's, PEM. */
  readonly rootCertificates?: Buffer;
}

/** A transport for Connect clients; `close` ends its connection. */
export interface GrpcTransport extends Transport {
  close(): void;
}

/** Creates a transport that speaks gRPC to one address over one HTTP/2 connection, opened at the first call. */
export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  const url = new URL(options.baseUrl);
  const secure = url.protocol === "https:";
  const channelOptions: ChannelOptions = {
    "grpc-node.flow_control_window": WINDOW_BYTES,
    "grpc.max_receive_message_length": options.readMaxBytes,
    "grpc.max_send_message_length": -1,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
  };
  const client = new Client(
    `${url.hostname}:${url.port === "" ? (secure ? 443 : 80) : url.port}`,
    secure ? credentials.createSsl(options.rootCertificates) : credentials.createInsecure(),
    channelOptions,
  );
  return {
    unary(method, signal, timeoutMs, header, input) {
      return unary(client, method, signal, timeoutMs, header, input);
    },
    async stream(method, signal, timeoutMs, header, input) {
      return stream(client, method, signal, timeoutMs, header, input);
    },
    close() {
      client.close();
    },
  };
}

function unary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethod & { methodKind: "unary"; input: I; output: O },
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: HeaderSource,
  input: MessageInitShape<I>,
): Promise<UnaryResponse<I, O>> {
  return new Promise((resolve, reject) => {
    let responseHeader: Metadata | undefined;
    let trailer: Metadata | undefined;
    const call = client.makeUnaryRequest(
      pathOf(method),
      (message: MessageShape<I>) => encode(method.input, message),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, input),
      metadataFrom(header),
      callOptions(timeoutMs),
      (error, message) => {
        unlink();
        if (error !== null || message === undefined) {
          reject(connectErrorFrom(error, signal));
          return;
        }
        resolve({
          stream: false,
          service: method.parent,
          method,
          header: headersFrom(responseHeader),
          trailer: headersFrom(trailer),
          message,
        });
      },
    );
    call.on("metadata", (metadata) => {
      responseHeader = metadata;
    });
    call.on("status", (status) => {
      trailer = status.metadata;
    });
    const unlink = cancelOnAbort(call, signal);
  });
}

function stream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethod & { input: I; output: O },
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: HeaderSource,
  input: AsyncIterable<MessageInitShape<I>>,
): StreamResponse<I, O> {
  const trailer = new Headers();
  // One shape for all three kinds: an HTTP/2 stream that both sides may write to.
  const call = client.makeBidiStreamRequest<MessageShape<I>, MessageShape<O>>(
    pathOf(method),
    (message) => encode(method.input, message),
    (bytes) => fromBinary(method.output, bytes),
    metadataFrom(header),
    callOptions(timeoutMs),
  );
  const unlink = cancelOnAbort(call, signal);
  call.on("status", (status) => {
    unlink();
    for (const [name, value] of headersFrom(status.metadata)) {
      trailer.append(name, value);
    }
  });
  // A failed call is reported by the reading side; without a listener the same event would end the process.
  call.on("error", () => {});
  const sending = send(call, method.input, input);
  return {
    stream: true,
    service: method.parent,
    method: method as never,
    header: new Headers(),
    trailer,
    message: receive<MessageShape<O>>(call, sending, signal),
  };
}

/** Writes the requests as fast as they are taken; the error of the input, if any, cancels the call. */
async function send<I extends DescMessage>(
  call: ClientDuplexStream<MessageShape<I>, unknown>,
  schema: I,
  input: AsyncIterable<MessageInitShape<I>>,
): Promise<{ error?: unknown }> {
  const over = new Promise<void>((resolve) => {
    call.once("status", () => resolve());
    call.once("close", () => resolve());
  });
  let ended = false;
  void over.then(() => {
    ended = true;
  });
  try {
    for await (const message of input) {
      if (ended) {
        return {};
      }
      if (!call.write(create(schema, message))) {
        await Promise.race([over, new Promise<void>((resolve) => call.once("drain", resolve))]);
      }
    }
    call.end();
    return {};
  } catch (error) {
    call.cancel();
    return { error };
  }
}

async function* receive<T>(
  call: ClientReadableStream<T>,
  sending: Promise<{ error?: unknown }>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  let complete = false;
  try {
    for await (const message of call) {
      yield message as T;
    }
    complete = true;
  } catch (error) {
    complete = true;
    const inputError = await Promise.race([sending, undefined]);
    throw inputError?.error ?? connectErrorFrom(error, signal);
  } finally {
    if (!complete) {
      call.cancel();
    }
  }
}

function cancelOnAbort(call: { cancel(): void }, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) {
    return () => {};
  }
  const cancel = () => call.cancel();
  if (signal.aborted) {
    cancel();
    return () => {};
  }
  signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}

function encode<I extends DescMessage>(schema: I, message: MessageShape<I>): Buffer {
  const bytes = toBinary(schema, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function callOptions(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}
