import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { ListenAddress } from "./environment.js";

// One port for gRPC, gRPC-Web and Connect: HTTP/2 without TLS begins with "PRI", and anything else is HTTP/1.1.

const WINDOW_BYTES = 4 << 20;
const SESSION_WINDOW_BYTES = 16 << 20;
const FIRST_BYTES_LIMIT_MS = 10_000;
const MAX_HEADER_LIST_BYTES = 64 << 10;
const DRAIN_LIMIT_MS = 10_000;

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

export interface OnePortOptions {
  readonly listen: ListenAddress;
  readonly handler: HttpHandler;
  /** How many calls one connection may have at once. */
  readonly maxConcurrentStreams: number;
}

export interface OnePort {
  /** `http://host:port`, with the port that was taken. */
  readonly url: string;
  /** Takes no new connections, lets calls end for up to 10 s, then ends what is left. */
  close(): Promise<void>;
}

/** Listens for HTTP/1.1 and HTTP/2 without TLS on one port. */
export async function listenOnePort(options: OnePortOptions): Promise<OnePort> {
  const http2 = createHttp2Server(
    {
      settings: {
        initialWindowSize: WINDOW_BYTES,
        maxConcurrentStreams: options.maxConcurrentStreams,
        maxHeaderListSize: MAX_HEADER_LIST_BYTES,
        enablePush: false,
      },
    },
    options.handler,
  );
  let closing = false;
  // How many calls each HTTP/1.1 connection has; Node keeps count only for servers that listen themselves.
  const http1Calls = new Map<Socket, number>();
  const http1 = createHttp1Server((request, response) => {
    const { socket } = request;
    http1Calls.set(socket, (http1Calls.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const calls = (http1Calls.get(socket) ?? 1) - 1;
      http1Calls.set(socket, calls);
      if (closing && calls === 0) {
        socket.end();
      }
    });
    options.handler(request, response);
  });
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  const sockets = new Set<Socket>();
  const tcp = createTcpServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A peer that resets its connection is no fault of ours.
    socket.on("error", () => socket.destroy());
    socket.setTimeout(FIRST_BYTES_LIMIT_MS, () => socket.destroy());
    sniff(socket, (isHttp2) => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      if (!isHttp2) {
        http1Calls.set(socket, 0);
        socket.once("close", () => http1Calls.delete(socket));
      }
      (isHttp2 ? http2 : http1).emit("connection", socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(options.listen.port, options.listen.host, resolve);
  });
  const { port } = tcp.address() as AddressInfo;
  const host = options.listen.host.includes(":") ? `[${options.listen.host}]` : options.listen.host;
  return {
    url: `http://${host}:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
      closing = true;
      for (const [socket, calls] of http1Calls) {
        if (calls === 0) {
          socket.end();
        }
      }
      for (const session of sessions) {
        session.close();
      }
      const limit = setTimeout(() => {
        for (const socket of sockets) {
          socket.destroy();
        }
      }, DRAIN_LIMIT_MS);
      await closed;
      clearTimeout(limit);
    },
  };
}

/** Looks at the first bytes of a connection and puts them back. */
function sniff(socket: Socket, found: (isHttp2: boolean) => void): void {
  const onReadable = () => {
    const head: Buffer | null = socket.read();
    if (head === null) {
      return;
    }
    socket.unshift(head);
    if (head.length < 3 && "PRI".startsWith(head.toString("latin1"))) {
      return;
    }
    socket.off("readable", onReadable);
    found(head.toString("latin1", 0, 3) === "PRI");
  };
  socket.on("readable", onReadable);
}
