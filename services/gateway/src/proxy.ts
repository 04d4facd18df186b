import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { type ClientHttp2Stream, constants, type Http2ServerResponse, type OutgoingHttpHeaders } from "node:http2";
import type { HttpRequest, HttpResponse } from "@codemesh/service-kit";
import { plainGrpcMessage } from "./grpc-message.js";

// A call is passed on as HTTP/2 frames: its messages are neither decoded nor copied, and a side that does not read stops
// the other by flow control. Both ends learn of the other's end: a client that goes away resets the call at the service,
// a service that goes away ends the client's call with UNAVAILABLE.

const UNAVAILABLE = 14;
const NOTHING: ReadonlySet<string> = new Set();
const HOP_HEADERS = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** The headers to pass on: without those of the hop, of HTTP/2 itself, and those in `without`. */
export function endToEndHeaders(headers: IncomingHttpHeaders, without: ReadonlySet<string>): OutgoingHttpHeaders {
  const result: OutgoingHttpHeaders = {};
  for (const name in headers) {
    if (!name.startsWith(":") && !HOP_HEADERS.has(name) && !without.has(name)) {
      result[name] = headers[name];
    }
  }
  return result;
}

/**
 * Passes a call on to `upstream` and its answer back. Settles when the answer has begun; rejects when the service failed
 * before it began, and then the call is still unanswered.
 *
 * `body` is the request's body where it has been read already.
 */
export function passOn(
  request: HttpRequest,
  response: HttpResponse,
  upstream: ClientHttp2Stream,
  body: Buffer | undefined,
): Promise<void> {
  const begun = Promise.withResolvers<void>();
  let answering = false;
  const finish = isHttp2(response) ? answerHttp2(response, upstream) : answerHttp1(response, upstream);
  response.once("close", () => {
    if (!upstream.closed && !upstream.readableEnded) {
      upstream.close(constants.NGHTTP2_CANCEL);
    }
  });
  upstream.once("response", (headers, flags) => {
    answering = true;
    finish.begin(headers, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    begun.resolve();
  });
  const failed = (error: Error) => {
    if (answering) {
      finish.breakOff();
    } else {
      begun.reject(error);
    }
  };
  upstream.on("error", failed);
  upstream.once("close", () => failed(new Error(`the service reset the call (${upstream.rstCode})`)));
  if (body === undefined) {
    request.pipe(upstream);
  } else {
    upstream.end(body);
  }
  return begun.promise;
}

type TrailerInit = Parameters<Http2ServerResponse["addTrailers"]>[0];

function isHttp2(response: HttpResponse): response is Http2ServerResponse {
  return response.req.httpVersionMajor === 2;
}

function answerHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const answer = endToEndHeaders(headers, NOTHING);
  const message = answer["grpc-message"];
  if (typeof message === "string") {
    answer["grpc-message"] = plainGrpcMessage(message);
  }
  return answer;
}

interface Answer {
  begin(headers: IncomingHttpHeaders & { ":status"?: number }, ended: boolean): void;
  breakOff(): void;
}

function answerHttp2(response: Http2ServerResponse, upstream: ClientHttp2Stream): Answer {
  const { stream } = response;
  upstream.once("trailers", (headers) => response.addTrailers(answerHeaders(headers) as TrailerInit));
  return {
    begin(headers, ended) {
      if (stream.destroyed) {
        return;
      }
      const answer = { ...answerHeaders(headers), ":status": headers[":status"] ?? 502 };
      if (ended) {
        stream.respond(answer, { endStream: true });
        upstream.resume();
        return;
      }
      // Node sends the response's trailers when the stream wants them.
      stream.respond(answer, { waitForTrailers: true });
      upstream.pipe(stream);
    },
    breakOff() {
      if (stream.destroyed || stream.writableEnded) {
        return;
      }
      upstream.unpipe(stream);
      response.addTrailers({
        "grpc-status": String(UNAVAILABLE),
        "grpc-message": "The service went away during the call.",
      });
      stream.end();
    },
  };
}

function answerHttp1(response: ServerResponse, upstream: ClientHttp2Stream): Answer {
  return {
    begin(headers) {
      response.writeHead(headers[":status"] ?? 502, answerHeaders(headers));
      upstream.pipe(response);
    },
    breakOff() {
      if (!response.writableEnded) {
        response.destroy();
      }
    },
  };
}
