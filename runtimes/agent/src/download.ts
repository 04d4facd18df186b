import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { writeChunk, writeFrame } from "@codemesh/link";
import { FileProblem, fileFailure } from "./file-failure.js";
import { absolutePath, fileFrom } from "./workspace-file.js";

const { DownloadPartSchema, FileFailureReason } = linkpb;
const CHUNK_BYTES = 256 << 10;

/** Sends a file, or a part of it, on a stream. A file that shrinks meanwhile ends early. */
export async function send(socket: Socket, request: linkpb.OpenDownload, workspace?: string): Promise<void> {
  try {
    await sendFile(socket, request, workspace);
    writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part: { case: "end", value: {} } }));
  } catch (error) {
    const value = fileFailure(error);
    writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part: { case: "failure", value } }));
  }
  socket.end();
}

async function sendFile(socket: Socket, request: linkpb.OpenDownload, workspace?: string): Promise<void> {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(absolutePath(request.path, workspace), flags);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw new FileProblem(FileFailureReason.NOT_A_FILE, "It is not a regular file.");
    }
    if (request.offset > BigInt(stats.size)) {
      throw new FileProblem(FileFailureReason.PAST_END, `The file has ${stats.size} bytes.`);
    }
    const value = fileFrom(request.path, stats);
    writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part: { case: "file", value } }));
    const begin = Number(request.offset);
    await sendBytes(socket, handle, begin, Math.min(stats.size, begin + Number(request.limit)));
  } finally {
    await handle.close();
  }
}

/** Two buffers take turns: one is read into while the other is on its way out. */
async function sendBytes(socket: Socket, handle: FileHandle, begin: number, end: number): Promise<void> {
  const rest = create(DownloadPartSchema);
  let [next, other] = [newTurn(), newTurn()];
  for (let at = begin; at < end && !socket.destroyed; [next, other] = [other, next]) {
    await next.sent;
    const { bytesRead } = await handle.read(next.buffer, 0, Math.min(CHUNK_BYTES, end - at), at);
    if (bytesRead === 0) {
      break;
    }
    at += bytesRead;
    const chunk = next.buffer.subarray(0, bytesRead);
    next.sent = new Promise((resolve) => {
      // Also called when the socket is closed under it.
      writeChunk(socket, DownloadPartSchema, rest, "chunk", chunk, () => resolve());
    });
  }
  await Promise.all([next.sent, other.sent]);
}

function newTurn(): { buffer: Buffer; sent: Promise<void> } {
  return { buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES), sent: Promise.resolve() };
}
