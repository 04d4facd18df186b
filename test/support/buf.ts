import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";

/** Runs the buf command line and returns what it printed; throws with its complaint when it fails. */
export async function buf(...args: string[]): Promise<string> {
  const program = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  return stdout;
}
