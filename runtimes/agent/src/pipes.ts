import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The two ends of a pipe. */
export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/**
 * Makes pipes. Node gives its children sockets, and a program that opens `/dev/stderr` anew cannot open a socket; a named
 * pipe whose name is gone is a pipe like any other.
 */
export function makePipes(count: number): Pipe[] {
  const directory = mkdtempSync(join(tmpdir(), ".pipes-"));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(directory, String(index)));
    const made = spawnSync("mkfifo", ["-m", "0600", ...paths], { stdio: "ignore" });
    if (made.status !== 0) {
      throw new Error("mkfifo failed", { cause: made.error });
    }
    return paths.map((path) => ({
      // Without O_NONBLOCK each open would wait for the other.
      readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      writeFd: openSync(path, constants.O_WRONLY),
    }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Closes descriptors that are open. */
export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) {
    closeSync(fd);
  }
}
