import type { Stats } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type File, FileSchema, FileType } from "@codemesh/api";
import { WORKSPACE } from "./environment.js";

/** How the names of files begin that are still on their way in. */
export const UNFINISHED_PREFIX = ".codemesh-upload-";

/** Where a workspace path lies. The executor has checked the path; in here it can harm its own sandbox only. */
export function absolutePath(path: string, workspace = WORKSPACE): string {
  return path === "" ? workspace : `${workspace}/${path}`;
}

/** An entry as callers see it. */
export function fileFrom(path: string, stats: Stats): File {
  return create(FileSchema, {
    path,
    type: typeOf(stats),
    sizeBytes: stats.isFile() ? BigInt(stats.size) : 0n,
    modifyTime: timestampFromMs(Math.trunc(stats.mtimeMs)),
  });
}

function typeOf(stats: Stats): FileType {
  if (stats.isFile()) {
    return FileType.REGULAR;
  }
  if (stats.isDirectory()) {
    return FileType.DIRECTORY;
  }
  return stats.isSymbolicLink() ? FileType.SYMLINK : FileType.OTHER;
}
