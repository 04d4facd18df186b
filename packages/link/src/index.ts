export { drained, frames, writeChunk, writeFrame } from "./connection.js";
export { encodeFrame, FrameError, FrameReader } from "./frames.js";
export * from "./limits.js";
