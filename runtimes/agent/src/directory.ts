import { constants } from "node:fs";
import { lstat, open, readdir, rm, rmdir, unlink } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { type File, linkpb } from "@codemesh/api";
import { absolutePath, fileFrom, UNFINISHED_PREFIX } from "./workspace-file.js";

const { DirectoryListingSchema } = linkpb;
/** A listing is one message; one that would grow past this is continued by the next call. */
const MAX_LISTING_BYTES = 512 << 10;
const ENTRY_OVERHEAD_BYTES = 48;
/** How many entries are looked at side by side. */
const BATCH = 128;

/**
 * Lists a directory by name, byte by byte, without files that are still on their way in. A name that is not UTF-8 is shown
 * with replacement characters.
 */
export async function listDirectory(
  request: linkpb.ListDirectory,
  workspace?: string,
): Promise<linkpb.DirectoryListing> {
  const directory = absolutePath(request.path, workspace);
  await refuseOtherThanDirectory(directory);
  const after = Buffer.from(request.after);
  const entries = (await readdir(directory, { encoding: "buffer" }))
    .map((raw) => ({ raw, name: raw.toString() }))
    .filter(({ name }) => !name.startsWith(UNFINISHED_PREFIX))
    .map((entry) => ({ ...entry, bytes: Buffer.from(entry.name) }))
    .filter(({ bytes }) => request.after === "" || Buffer.compare(bytes, after) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const files: File[] = [];
  let [index, sizeBytes] = [0, 0];
  while (index < entries.length && files.length < request.limit && sizeBytes < MAX_LISTING_BYTES) {
    const batch = entries.slice(index, index + Math.min(BATCH, request.limit - files.length));
    index += batch.length;
    const found = await Promise.all(batch.map(({ raw, name }) => entryOf(directory, request.path, raw, name)));
    for (const file of found) {
      if (file !== undefined) {
        files.push(file);
        sizeBytes += Buffer.byteLength(file.path) + ENTRY_OVERHEAD_BYTES;
      }
    }
  }
  return create(DirectoryListingSchema, { files, more: index < entries.length });
}

/** Removes an entry; a directory with everything in it only when asked to. */
export async function removeEntry(request: linkpb.RemoveEntry, workspace?: string): Promise<void> {
  const path = absolutePath(request.path, workspace);
  if (!(await lstat(path)).isDirectory()) {
    await unlink(path);
  } else if (request.recursive) {
    await rm(path, { recursive: true });
  } else {
    await rmdir(path);
  }
}

/** `undefined` for one that has gone meanwhile. */
async function entryOf(directory: string, parent: string, raw: Buffer, name: string): Promise<File | undefined> {
  const stats = await lstat(Buffer.concat([Buffer.from(`${directory}/`), raw])).catch(() => undefined);
  return stats && fileFrom(parent === "" ? name : `${parent}/${name}`, stats);
}

async function refuseOtherThanDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  await handle.close();
}
