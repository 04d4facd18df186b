import { Metadata } from "@grpc/grpc-js";

/** What the global Headers are made from. */
export type HeaderSource = ConstructorParameters<typeof Headers>[0];

/** Request headers as grpc-js metadata. */
export function metadataFrom(header: HeaderSource): Metadata {
  const metadata = new Metadata();
  if (header !== undefined) {
    for (const [name, value] of header instanceof Headers ? header : new Headers(header)) {
      metadata.add(name, value);
    }
  }
  return metadata;
}

/** Response metadata as headers; binary values in base64, as on the wire. */
export function headersFrom(metadata: Metadata | undefined): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(metadata?.toHttp2Headers() ?? {})) {
    for (const single of Array.isArray(value) ? value : [value]) {
      headers.append(name, String(single));
    }
  }
  return headers;
}
