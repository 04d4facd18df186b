import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exists, lastLines } from "../files.js";
import { homeFrom, meshPaths } from "../paths.js";
import { Problem } from "../problem.js";

const POLL_MS = 200;

/** `./mesh logs [SERVICE] [-f]`: the last lines of one log or of all; with `-f` what is added to them, as it comes. */
export async function logs(
  service: string | undefined,
  options: { readonly follow?: boolean; readonly lines: string },
): Promise<void> {
  const directory = meshPaths(homeFrom(process.env)).logs;
  const count = Number(options.lines);
  if (!Number.isInteger(count) || count < 0) {
    throw new Problem(`--lines ${options.lines} is not a whole number.`);
  }
  const names = exists(directory)
    ? readdirSync(directory)
        .filter((file) => file.endsWith(".log"))
        .map((file) => basename(file, ".log"))
    : [];
  if (service !== undefined && !names.includes(service)) {
    throw new Problem(`There is no log of ${service}.`, `There are: ${names.join(", ") || "none yet"}.`);
  }
  const shown = service === undefined ? names : [service];
  const label = (name: string) => (shown.length === 1 ? "" : `${name.padEnd(16)}| `);
  for (const name of shown) {
    print(label(name), lastLines(join(directory, `${name}.log`), count));
  }
  if (options.follow === true) {
    await Promise.all(shown.map((name) => follow(join(directory, `${name}.log`), label(name))));
  }
}

async function follow(path: string, label: string): Promise<never> {
  let offset = statSync(path).size;
  let rest = "";
  for (;;) {
    await sleep(POLL_MS);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // A file that shrank was begun anew.
    offset = Math.min(offset, size);
    if (size > offset) {
      const lines = (rest + read(path, offset, size - offset)).split("\n");
      rest = lines.pop() ?? "";
      print(label, lines);
      offset = size;
    }
  }
}

function read(path: string, offset: number, length: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, length, offset));
  } finally {
    closeSync(file);
  }
}

function print(label: string, lines: readonly string[]): void {
  for (const line of lines) {
    process.stdout.write(`${label}${line}\n`);
  }
}
