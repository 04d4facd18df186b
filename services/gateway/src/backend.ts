import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";

const WINDOW_BYTES = 4 << 20;
const SESSION_WINDOW_BYTES = 16 << 20;
const CONNECT_LIMIT_MS = 3_000;
const PING_MS = 10_000;

/** HTTP/2 connections to the services, one per address, opened when needed and again after a break. */
export interface Backends {
  request(url: string, headers: OutgoingHttpHeaders): ClientHttp2Stream;
  close(): void;
}

/** Creates the connections; nothing is opened yet. */
export function createBackends(): Backends {
  const sessions = new Map<string, ClientHttp2Session>();

  function sessionTo(url: string): ClientHttp2Session {
    const known = sessions.get(url);
    if (known !== undefined && !known.closed && !known.destroyed) {
      return known;
    }
    const session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES, enablePush: false } });
    sessions.set(url, session);
    const forget = () => {
      if (sessions.get(url) === session) {
        sessions.delete(url);
      }
    };
    const limit = setTimeout(() => session.destroy(new Error(`${url} did not answer`)), CONNECT_LIMIT_MS);
    session.once("connect", () => {
      clearTimeout(limit);
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    // A silent peer is found by pings; the connection ends and its calls with it.
    const pings = setInterval(() => {
      if (!session.connecting && !session.destroyed) {
        const answer = setTimeout(() => session.destroy(new Error(`${url} is silent`)), CONNECT_LIMIT_MS);
        session.ping(() => clearTimeout(answer));
      }
    }, PING_MS);
    pings.unref();
    session.on("error", forget);
    session.on("goaway", forget);
    session.once("close", () => {
      clearTimeout(limit);
      clearInterval(pings);
      forget();
    });
    return session;
  }

  return {
    request: (url, headers) => sessionTo(url).request(headers, { endStream: false }),
    close() {
      for (const session of sessions.values()) {
        session.close();
      }
      sessions.clear();
    },
  };
}
