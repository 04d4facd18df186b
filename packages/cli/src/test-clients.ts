import { installPackages } from "./packages.js";
import type { Progress } from "./progress.js";
import { runCommand } from "./run-command.js";

/** Debian's Python, for which the packages below are. */
const PYTHON = "/usr/bin/python3";
const PACKAGES = ["python3", "python3-grpcio", "python3-grpc-tools", "curl"];

/** Installs what the tests use as stock clients, where it is missing. */
export async function ensureTestClients(progress: Progress): Promise<void> {
  try {
    await runCommand(PYTHON, ["-c", "import grpc, grpc_tools.protoc"]);
    await runCommand("curl", ["--version"]);
  } catch {
    await installPackages(PACKAGES, progress);
  }
}
