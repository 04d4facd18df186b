// gRPC percent-encodes a status message: printable ASCII but `%` stays as it is. Connect encodes as for a URL, and clients
// that undo only what a URL needs (grpc-js among them) show `%2C` for a comma.

const encoder = new TextEncoder();

/** A `grpc-message` as the gRPC specification writes it, from one that encodes more than it has to. */
export function plainGrpcMessage(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
  return [...encoder.encode(text)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}
