import { type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

/** Runs a command with this terminal until it ends and returns its exit code; 128 + n when signal n ended it. */
export function spawnForeground(
  command: string,
  commandArguments: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env">,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, { ...options, stdio: "inherit" });
    // The terminal sends Ctrl-C to both; the command decides when it has ended.
    const wait = () => {};
    const end = () => child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", end);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", end);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
