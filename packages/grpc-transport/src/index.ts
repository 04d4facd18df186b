export { createGrpcTransport, type GrpcTransport, type GrpcTransportOptions } from "./transport.js";
