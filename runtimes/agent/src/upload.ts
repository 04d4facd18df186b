import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type File, linkpb } from "@codemesh/api";
import { frames, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { FileProblem, fileFailure } from "./file-failure.js";
import { absolutePath, fileFrom, UNFINISHED_PREFIX } from "./workspace-file.js";

const { FileFailureReason, TransferEndSchema, UploadPartSchema } = linkpb;
/** A message around a chunk of 1 MiB. */
const MAX_PART_BYTES = MAX_FRAME_BYTES + 64;
/** How long the executor may take to close a stream after its answer, ms. */
const CLOSE_LIMIT_MS = 10_000;

/** Receives a file on a stream and answers how it went. It appears under its path whole, or not at all. */
export async function receive(socket: Socket, path: string, workspace?: string): Promise<void> {
  let result: { case: "file"; value: File } | { case: "failure"; value: linkpb.FileFailure };
  try {
    result = { case: "file", value: await store(socket, path, workspace) };
  } catch (error) {
    result = { case: "failure", value: fileFailure(error) };
  }
  writeFrame(socket, TransferEndSchema, create(TransferEndSchema, { result }));
  // What is still on its way in is let in and dropped, so that the answer is not lost to a reset.
  socket.resume();
  socket.end();
  socket.setTimeout(CLOSE_LIMIT_MS, () => socket.destroy());
}

async function store(socket: Socket, path: string, workspace?: string): Promise<File> {
  const target = absolutePath(path, workspace);
  await makeParent(target);
  await refuseOtherThanFile(target);
  const temporary = `${dirname(target)}/${UNFINISHED_PREFIX}${randomBytes(8).toString("hex")}`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, 0o644);
  try {
    await take(socket, handle);
    await refuseOtherThanFile(target);
    await rename(temporary, target);
    return fileFrom(path, await handle.stat());
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

/** Writes what comes on the stream, until its end that fits. */
async function take(socket: Socket, handle: FileHandle): Promise<void> {
  const hash = createHash("sha256");
  let sizeBytes = 0n;
  for await (const { part } of frames(socket, UploadPartSchema, MAX_PART_BYTES)) {
    if (part.case === "chunk") {
      sizeBytes += BigInt(part.value.length);
      // Another thread writes while this one hashes.
      const writing = writeAll(handle, part.value);
      hash.update(part.value);
      await writing;
    } else if (part.case === "end") {
      if (part.value.sizeBytes !== sizeBytes || !hash.digest().equals(part.value.sha256)) {
        throw new FileProblem(FileFailureReason.CHECKSUM_MISMATCH, "The sandbox received other bytes than were sent.");
      }
      return;
    }
  }
  throw new FileProblem(FileFailureReason.OTHER, "The upload broke off.");
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at)).bytesWritten;
  }
}

async function makeParent(target: string): Promise<void> {
  try {
    await mkdir(dirname(target), { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new FileProblem(FileFailureReason.NOT_A_DIRECTORY, "A part of the path is not a directory.");
    }
    throw error;
  }
}

async function refuseOtherThanFile(target: string): Promise<void> {
  const stats = await lstat(target).catch(() => undefined);
  if (stats?.isFile() === false) {
    throw new FileProblem(FileFailureReason.NOT_A_FILE, "What has this name is not a regular file.");
  }
}
