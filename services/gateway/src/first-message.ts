import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type DescMethod, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { MAX_MESSAGE_BYTES, Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";

// The gateway passes bodies on as they are. Only where the way depends on the request, it looks into its first message,
// in whichever protocol it is written: gRPC, gRPC-Web and streaming Connect put a flag byte and a 32-bit length before
// a message; unary Connect does not.

const ENVELOPE_BYTES = 5;
const COMPRESSED = 0x01;

/** The first message of a whole request body; refuses `INVALID_ARGUMENT` / `MESSAGE_MALFORMED`. */
export function firstMessage(method: DescMethod, headers: IncomingHttpHeaders, body: Buffer): Message {
  const contentType = (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  try {
    const payload =
      contentType === "application/proto" || contentType === "application/json"
        ? decompressed(body, true, String(headers["content-encoding"] ?? "identity"))
        : enveloped(body, headers);
    return contentType.endsWith("json")
      ? fromJsonString(method.input, payload.toString("utf8"), { ignoreUnknownFields: true })
      : fromBinary(method.input, payload);
  } catch (cause) {
    throw new Refusal(
      Code.InvalidArgument,
      "MESSAGE_MALFORMED",
      `The request is not a ${method.input.typeName}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

function enveloped(body: Buffer, headers: IncomingHttpHeaders): Buffer {
  if (body.length < ENVELOPE_BYTES || body.length < ENVELOPE_BYTES + body.readUInt32BE(1)) {
    throw new RangeError("it is cut short");
  }
  const encoding = headers["grpc-encoding"] ?? headers["connect-content-encoding"] ?? "identity";
  return decompressed(
    body.subarray(ENVELOPE_BYTES, ENVELOPE_BYTES + body.readUInt32BE(1)),
    ((body[0] ?? 0) & COMPRESSED) !== 0,
    String(encoding),
  );
}

function decompressed(bytes: Buffer, compressed: boolean, encoding: string): Buffer {
  if (!compressed || encoding === "identity") {
    return bytes;
  }
  switch (encoding) {
    case "gzip":
      return gunzipSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES });
    case "br":
      return brotliDecompressSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES });
    default:
      throw new RangeError(`its encoding ${encoding} is not known here`);
  }
}
