import { exists, readText } from "./files.js";
import { Problem } from "./problem.js";
import type { Progress } from "./progress.js";
import { commandPath, runCommand } from "./run-command.js";

const APT_OPTIONS = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"];

/** Whether this process may install packages: root on Debian, Ubuntu or another system with apt. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && commandPath("apt-get") !== undefined;
}

/** Whether systemd runs this machine, so that a package's service is started when it is installed. */
export function hasSystemd(): boolean {
  return exists("/run/systemd/system");
}

/** The name of this operating system, as it calls itself. */
export function systemName(): string {
  const name = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readText("/etc/os-release") ?? "")?.[1];
  return name ?? process.platform;
}

/** Installs Debian packages; where that cannot be done it says what to install instead. */
export async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
  const names = packages.join(" ");
  if (!canInstall()) {
    const how =
      commandPath("apt-get") === undefined
        ? `Install ${names}, or what ${systemName()} calls it, and try again.`
        : `Run: sudo apt-get install ${names}`;
    throw new Problem(`${names} must be installed, which ./mesh can do only as root on Debian or Ubuntu.`, how);
  }
  await progress.step(`Installing ${names}`, async (detail) => {
    const install = () => apt(["install", "-y", "--no-install-recommends", ...packages], detail);
    try {
      await install();
    } catch {
      // On a new machine the package lists are missing or old.
      await apt(["update"], detail);
      await install();
    }
  });
}

async function apt(commandArguments: readonly string[], onLine: (line: string) => void): Promise<void> {
  await runCommand("apt-get", [...APT_OPTIONS, ...commandArguments], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1", LC_ALL: "C.UTF-8" },
    onLine,
  });
}
