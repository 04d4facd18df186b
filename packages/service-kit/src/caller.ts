import { Refusal } from "@codemesh/api";
import { type CallOptions, Code, createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { type Caller, TOKEN_HEADER, type TokenVerifier } from "./token.js";

const callerKey = createContextKey<Caller | undefined>(undefined, { description: "who the call is for" });

/** The services that answer without a token: they say nothing about anyone. */
const OPEN_PACKAGES = ["grpc.health.", "grpc.reflection."];

/** Lets a call through only with a token of the gateway, and notes whose it is. */
export function createCallerInterceptor(verifier: TokenVerifier): Interceptor {
  return (next) => async (request) => {
    if (OPEN_PACKAGES.some((prefix) => request.service.typeName.startsWith(prefix))) {
      return next(request);
    }
    const token = request.header.get(TOKEN_HEADER);
    if (token === null) {
      throw new Refusal(
        Code.Unauthenticated,
        "TOKEN_MISSING",
        "This service takes calls from the gateway only; call the gateway's address.",
      );
    }
    request.contextValues.set(callerKey, await verifier.verify(token));
    return next(request);
  };
}

/** Who the call is for. */
export function callerOf(context: HandlerContext): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) {
    throw new Error(`${context.method.parent.typeName} is served without a caller`);
  }
  return caller;
}

/** The options of a call made on behalf of this one: the same caller, the same end, the same deadline. */
export function forward(context: HandlerContext): CallOptions {
  const timeoutMs = context.timeoutMs();
  return {
    headers: { [TOKEN_HEADER]: callerOf(context).token },
    signal: context.signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
