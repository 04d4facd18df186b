import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";

/** One file, directory or link of a build context. */
export interface ContextEntry {
  /** Where the build sees it. */
  readonly name: string;
  /** Where it is. */
  readonly source: string;
  readonly executable?: boolean;
  /** What stands for the content in the tag; the content itself when it is not given. */
  readonly version?: string;
}

/** `{repository}:{first 12 hex digits of the SHA-256 of all entries}`: other inputs, another tag. */
export function contentTag(repository: string, entries: readonly ContextEntry[]): string {
  const hash = createHash("sha256");
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const content = createHash("sha256")
      .update(entry.version ?? contentOf(entry.source))
      .digest("hex");
    hash.update(`${entry.name}\0${entry.executable === true ? "x" : ""}\0${content}\n`);
  }
  return `${repository}:${hash.digest("hex").slice(0, 12)}`;
}

/** The entries of a directory and everything below it that `keep` wants, named under `name`. */
export function directoryEntries(
  name: string,
  source: string,
  keep: (path: string) => boolean = () => true,
): ContextEntry[] {
  return readdirSync(source, { withFileTypes: true }).flatMap((child) => {
    const path = join(source, child.name);
    const below = `${name}/${child.name}`;
    if (!keep(path)) {
      return [];
    }
    return child.isDirectory() ? directoryEntries(below, path, keep) : [{ name: below, source: path }];
  });
}

/** A build context as a tar stream; times and owners are the same everywhere, so that the engine's cache holds. */
export function contextStream(entries: readonly ContextEntry[]): NodeJS.ReadableStream {
  const archive = pack();
  void addAll(archive, entries).catch((error: Error) => archive.destroy(error));
  return Readable.from(archive);
}

async function addAll(archive: Pack, entries: readonly ContextEntry[]): Promise<void> {
  for (const entry of entries) {
    const stat = lstatSync(entry.source);
    const common = { name: entry.name, mtime: new Date(0), uid: 0, gid: 0 };
    if (stat.isSymbolicLink() && entry.executable !== true) {
      archive.entry({ ...common, type: "symlink", linkname: readlinkSync(entry.source) });
      continue;
    }
    const executable = entry.executable === true || (stat.mode & 0o100) !== 0;
    const size = statSync(entry.source).size;
    const file = archive.entry({ ...common, size, mode: executable ? 0o755 : 0o644 });
    await pipeline(createReadStream(entry.source), file);
  }
  archive.finalize();
}

function contentOf(source: string): Uint8Array {
  return lstatSync(source).isSymbolicLink() ? Buffer.from(readlinkSync(source)) : readFileSync(source);
}
