import { lstat, readdir, rm, rmdir, unlink } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { type File, linkpb } from "@codemesh/api";
import { absolutePath, fileFrom } from "./workspace-file.js";

const { DirectoryListingSchema } = linkpb;
/** A listing is one message; one that would grow past this is continued by the next call. */
const MAX_LISTING_BYTES = 512 << 10;
const ENTRY_OVERHEAD_BYTES = 48;

/** Lists a directory by name, byte by byte. */
export async function listDirectory(request: linkpb.ListDirectory): Promise<linkpb.DirectoryListing> {
  const after = Buffer.from(request.after);
  const names = (await readdir(absolutePath(request.path)))
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .filter(({ bytes }) => request.after === "" || Buffer.compare(bytes, after) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const files: File[] = [];
  let size = 0;
  for (const { name } of names) {
    if (files.length >= request.limit || size > MAX_LISTING_BYTES) {
      return create(DirectoryListingSchema, { files, more: true });
    }
    const path = request.path === "" ? name : `${request.path}/${name}`;
    const stats = await lstat(absolutePath(path)).catch(() => undefined);
    if (stats !== undefined) {
      files.push(fileFrom(path, stats));
      size += Buffer.byteLength(path) + ENTRY_OVERHEAD_BYTES;
    }
  }
  return create(DirectoryListingSchema, { files, more: false });
}

/** Removes an entry; a directory with everything in it only when asked to. */
export async function removeEntry(request: linkpb.RemoveEntry): Promise<void> {
  const path = absolutePath(request.path);
  if (!(await lstat(path)).isDirectory()) {
    await unlink(path);
  } else if (request.recursive) {
    await rm(path, { recursive: true });
  } else {
    await rmdir(path);
  }
}
