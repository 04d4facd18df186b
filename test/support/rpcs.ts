import type { DescMessage, DescMethod, DescMethodStreaming, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import * as api from "@codemesh/api";
import type { Transport } from "@connectrpc/connect";

/** Packages that are between the services and never reached through the gateway. */
const INTERNAL = /^codemesh\.(executor|link|event|state)\./;

/** Every service that the gateway shows, read from the descriptors. */
export const PUBLIC_SERVICES: readonly DescService[] = (Object.values(api) as unknown[])
  .filter(isService)
  .filter(({ typeName }) => typeName.startsWith("codemesh.") && !INTERNAL.test(typeName));

/** Every service that only the services call. */
export const INTERNAL_SERVICES: readonly DescService[] = (Object.values(api) as unknown[])
  .filter(isService)
  .filter(({ typeName }) => INTERNAL.test(typeName));

/** A request of any RPC, field by field. */
export type Request = Record<string, unknown>;

/** `codemesh.session.v1.SessionService/GetSession`. */
export function rpcName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Calls any RPC with one request, reads its answer to the end, and throws its error. */
export async function call(transport: Transport, method: DescMethod, request: Request = {}): Promise<void> {
  if (method.methodKind === "unary") {
    await transport.unary(
      method as DescMethodUnary<DescMessage, DescMessage>,
      undefined,
      undefined,
      undefined,
      request,
    );
    return;
  }
  const response = await transport.stream(
    method as DescMethodStreaming<DescMessage, DescMessage>,
    undefined,
    undefined,
    undefined,
    only(request),
  );
  for await (const _ of response.message) {
    // Only the end of the stream matters.
  }
}

async function* only(request: Request): AsyncGenerator<Request> {
  yield request;
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
