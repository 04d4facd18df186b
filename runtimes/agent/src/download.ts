import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { drained, writeFrame } from "@codemesh/link";
import { FileProblem, fileFailure } from "./file-failure.js";
import { absolutePath, fileFrom } from "./workspace-file.js";

const { DownloadPartSchema, FileFailureReason } = linkpb;
const CHUNK_BYTES = 256 << 10;

/** Sends a file, or a part of it, on a stream. A file that shrinks meanwhile ends early. */
export async function send(socket: Socket, request: linkpb.OpenDownload): Promise<void> {
  try {
    await sendFile(socket, request);
    writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part: { case: "end", value: {} } }));
  } catch (error) {
    const value = fileFailure(error);
    writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part: { case: "failure", value } }));
  }
  socket.end();
}

async function sendFile(socket: Socket, request: linkpb.OpenDownload): Promise<void> {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(absolutePath(request.path), flags);
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
    let at = Number(request.offset);
    const end = Math.min(stats.size, at + Number(request.limit));
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    while (at < end && !socket.destroyed) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, end - at), at);
      if (bytesRead === 0) {
        return;
      }
      at += bytesRead;
      // The frame is a copy, so the buffer is free again at once.
      const part = { case: "chunk" as const, value: buffer.subarray(0, bytesRead) };
      if (!writeFrame(socket, DownloadPartSchema, create(DownloadPartSchema, { part }))) {
        await drained(socket);
      }
    }
  } finally {
    await handle.close();
  }
}
