import { type SpawnOptions, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { Problem } from "./problem.js";

const KEPT_LINES = 30;

export interface CommandOptions extends Pick<SpawnOptions, "cwd" | "env"> {
  /** Called with every line of output. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command to its end and returns its standard output; on failure its last lines are the problem. */
export function runCommand(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const tail: string[] = [];
    const onLine = (line: string) => {
      tail.push(line);
      if (tail.length > KEPT_LINES) {
        tail.shift();
      }
      options.onLine?.(line);
    };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stdout?.on("data", splitLines(onLine));
    child.stderr?.setEncoding("utf8").on("data", splitLines(onLine));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) {
        resolve(output);
      } else {
        const line = [command, ...commandArguments].join(" ");
        reject(new Problem(`${line} ended with ${signal ?? `exit code ${code}`}:\n${tail.join("\n")}`));
      }
    });
  });
}

/** Where a command is on the PATH or among the system's own; `undefined` when it is not installed. */
export function commandPath(name: string): string | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const directory of directories) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Hands over whole lines, without carriage returns and blank ones. */
export function splitLines(onLine: (line: string) => void): (text: string | Buffer) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text.toString()).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() !== "") {
        onLine(line);
      }
    }
  };
}
