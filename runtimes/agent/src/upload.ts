import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type File, linkpb } from "@codemesh/api";
import { frames, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { FileProblem, fileFailure } from "./file-failure.js";
import { absolutePath, fileFrom } from "./workspace-file.js";

const { FileFailureReason, TransferEndSchema, UploadPartSchema } = linkpb;
/** A message around a chunk of 1 MiB. */
const MAX_PART_BYTES = MAX_FRAME_BYTES + 64;

/** Receives a file on a stream and answers how it went. It appears under its path whole, or not at all. */
export async function receive(socket: Socket, path: string): Promise<void> {
  let result: { case: "file"; value: File } | { case: "failure"; value: linkpb.FileFailure };
  try {
    result = { case: "file", value: await store(socket, path) };
  } catch (error) {
    result = { case: "failure", value: fileFailure(error) };
  }
  writeFrame(socket, TransferEndSchema, create(TransferEndSchema, { result }));
  // What is still on its way in is let in and dropped, so that the answer is not lost to a reset.
  socket.resume();
  socket.end();
}

async function store(socket: Socket, path: string): Promise<File> {
  const target = absolutePath(path);
  await makeDirectory(dirname(target));
  await refuseDirectory(target);
  const temporary = `${dirname(target)}/.upload-${randomBytes(8).toString("hex")}`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, 0o644);
  try {
    const hash = createHash("sha256");
    let sizeBytes = 0n;
    for await (const { part } of frames(socket, UploadPartSchema, MAX_PART_BYTES)) {
      if (part.case === "chunk") {
        hash.update(part.value);
        sizeBytes += BigInt(part.value.length);
        await writeAll(handle, part.value);
      } else if (part.case === "end") {
        if (part.value.sizeBytes !== sizeBytes || !hash.digest().equals(part.value.sha256)) {
          throw new FileProblem(
            FileFailureReason.CHECKSUM_MISMATCH,
            "The sandbox received other bytes than were sent.",
          );
        }
        await rename(temporary, target);
        return fileFrom(path, await handle.stat());
      }
    }
    throw new FileProblem(FileFailureReason.OTHER, "The upload broke off.");
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    // What mkdir -p calls EEXIST is something other than a directory in its last place.
    const isTaken = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isTaken ? new FileProblem(FileFailureReason.NOT_A_DIRECTORY, "a parent is not a directory") : error;
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at)).bytesWritten;
  }
}

async function refuseDirectory(target: string): Promise<void> {
  const stats = await lstat(target).catch(() => undefined);
  if (stats?.isDirectory() === true) {
    throw new FileProblem(FileFailureReason.NOT_A_FILE, "There is a directory of this name.");
  }
}
