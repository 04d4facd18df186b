export { callerOf, forward } from "./caller.js";
export { type ConnectHandlerOptions, createConnectHandler } from "./connect-handler.js";
export {
  baseEnvironment,
  ConfigError,
  integer,
  type ListenAddress,
  listenAddress,
  parseEnvironment,
} from "./environment.js";
export { createErrorInterceptor } from "./error-interceptor.js";
export { createHealthState, type HealthState } from "./health.js";
export { createLogger, type Logger } from "./logger.js";
export { type HttpHandler, type HttpRequest, type HttpResponse, listenOnePort, type OnePort } from "./one-port.js";
export { routeReflection } from "./reflection.js";
export { type RunningService, runService, type ServiceContext } from "./run-service.js";
export { type ServeOptions, type Server, serve } from "./serve.js";
export { createServiceClients, type ServiceClients } from "./service-clients.js";
export {
  type Caller,
  createTokenSigner,
  createTokenVerifier,
  loadTokenSigner,
  loadTokenVerifier,
  TOKEN_HEADER,
  type TokenSigner,
  type TokenVerifier,
} from "./token.js";
