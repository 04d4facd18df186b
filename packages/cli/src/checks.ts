import { readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { BASE_IMAGE } from "./base-image.js";
import { dockerAt, hasImage } from "./docker.js";
import { findEngine, MIN_API_VERSION } from "./docker-host.js";
import { exists } from "./files.js";
import { NATS_PROCESS, natsVersion } from "./nats-server.js";
import { canInstall, systemName } from "./packages.js";
import { MAX_HOME_BYTES, type MeshPaths } from "./paths.js";
import { isPortFree } from "./ports.js";
import { messageOf, Problem } from "./problem.js";
import { isRunning, readRecord } from "./processes.js";
import { commandPath, runCommand } from "./run-command.js";
import { runtimeImage } from "./runtime-image.js";
import { DEFAULT_PORTS } from "./services.js";
import { engineVersion } from "./versions.js";

// What `./mesh doctor` looks at. A check changes nothing; what `./mesh up` would install, build or start is not a fault.

const MIN_FREE_GIB = 6;
const GIB = 1024 ** 3;

/** What a check found. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** How to mend it, when it is not ok. */
  readonly remedy?: string;
}

/** Looks at each prerequisite of a mesh. */
export async function findings(paths: MeshPaths): Promise<Finding[]> {
  return await Promise.all([
    node(),
    npm(),
    packageManager(),
    engine(paths),
    cgroups(),
    nats(),
    image(paths),
    disk(paths),
    ports(paths),
    dataDirectory(paths),
  ]);
}

async function node(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const ok = major > 22 || (major === 22 && minor >= 13);
  return finding("node", ok, process.versions.node, "Install Node 22.13 or newer.");
}

async function npm(): Promise<Finding> {
  const command = commandPath("npm");
  const version = command === undefined ? undefined : (await runCommand(command, ["--version"])).trim();
  return finding("npm", version !== undefined, version ?? "not found", "Install npm, which comes with Node.");
}

async function packageManager(): Promise<Finding> {
  const missing = ["dockerd", "nats-server"].filter((name) => commandPath(name) === undefined);
  if (canInstall()) {
    return finding("packages", true, `${systemName()}: apt as root, ./mesh installs what is missing`);
  }
  const detail = `${systemName()}: ${process.getuid?.() === 0 ? "no apt" : "not root"}, so ./mesh installs nothing`;
  const needed = missing.map((name) => (name === "dockerd" ? "docker.io" : name)).join(" ");
  return finding(
    "packages",
    missing.length === 0,
    detail,
    `Install ${needed}, or run ./mesh as root on Debian or Ubuntu.`,
  );
}

async function engine(paths: MeshPaths): Promise<Finding> {
  try {
    const found = await findEngine(paths, process.env);
    if (found !== undefined) {
      const version = await engineVersion(found.dockerHost);
      const whose = found.own ? ", our own" : "";
      return finding("engine", true, `Docker ${version}, API ${found.apiVersion} at ${found.dockerHost}${whose}`);
    }
  } catch (error) {
    return finding("engine", false, messageOf(error), error instanceof Problem ? error.remedy : undefined);
  }
  const startable = process.getuid?.() === 0 && (commandPath("dockerd") !== undefined || canInstall());
  return finding(
    "engine",
    startable,
    startable
      ? "none answers; ./mesh up starts one"
      : `none answers (Docker API ${MIN_API_VERSION} or newer is needed)`,
    "Start Docker and make sure that you may use its socket (group docker), or run ./mesh as root.",
  );
}

async function cgroups(): Promise<Finding> {
  const version2 = exists("/sys/fs/cgroup/cgroup.controllers");
  const files = version2
    ? ["/sys/fs/cgroup/cgroup.controllers"]
    : ["/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/pids"];
  const unreadable = files.filter((file) => !readable(file));
  return finding(
    "cgroups",
    unreadable.length === 0,
    unreadable.length === 0 ? `version ${version2 ? 2 : 1}, readable` : `${unreadable.join(", ")} cannot be read`,
    "Mount the cgroup file systems at /sys/fs/cgroup: sandboxes are limited and metered with them.",
  );
}

async function nats(): Promise<Finding> {
  const command = commandPath("nats-server");
  if (command === undefined) {
    const detail = canInstall() ? "not found; ./mesh up installs it" : "not found";
    return finding(
      "nats-server",
      canInstall(),
      detail,
      "Install nats-server 2.9 or newer (nats.io), and have it on the PATH.",
    );
  }
  const version = await natsVersion(command);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > 2 || (major === 2 && minor >= 9);
  return finding("nats-server", ok, `${version} with JetStream at ${command}`, "Update nats-server to 2.9 or newer.");
}

async function image(paths: MeshPaths): Promise<Finding> {
  try {
    const { tag } = runtimeImage();
    const found = await findEngine(paths, process.env);
    if (found === undefined) {
      return finding("image", true, `${tag}; built when an engine runs`);
    }
    const docker = dockerAt(found.dockerHost);
    const built = await hasImage(docker, tag);
    const base = await hasImage(docker, BASE_IMAGE);
    return finding("image", true, built ? tag : `${tag} is not built yet${base ? "" : `, nor is ${BASE_IMAGE} there`}`);
  } catch (error) {
    return finding("image", false, messageOf(error), error instanceof Problem ? error.remedy : undefined);
  }
}

async function disk(paths: MeshPaths): Promise<Finding> {
  let directory = paths.home;
  while (!exists(directory)) {
    directory = dirname(directory);
  }
  const { bavail, bsize } = statfsSync(directory);
  const freeGib = (bavail * bsize) / GIB;
  return finding(
    "disk",
    freeGib >= MIN_FREE_GIB,
    `${freeGib.toFixed(1)} GiB free at ${directory}`,
    `The images take about ${MIN_FREE_GIB} GiB while they are built: free some, or choose another place with CODEMESH_HOME.`,
  );
}

async function ports(paths: MeshPaths): Promise<Finding> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(DEFAULT_PORTS)) {
    const record = readRecord(paths, name === "nats" ? NATS_PROCESS : name);
    const ours = record !== undefined && isRunning(record);
    if (!ours && !(await isPortFree(port))) {
      taken.push(`${port} (${name})`);
    }
  }
  // Another free port is taken then, and `./mesh status` tells which.
  return finding(
    "ports",
    true,
    taken.length === 0 ? "the usual ones are free or ours" : `in use: ${taken.join(", ")}; others are taken`,
  );
}

async function dataDirectory(paths: MeshPaths): Promise<Finding> {
  const length = Buffer.byteLength(paths.home);
  return finding(
    "data",
    length <= MAX_HOME_BYTES,
    `${paths.home}, ${length} of at most ${MAX_HOME_BYTES} bytes`,
    "Sockets lie below it and their paths are limited: choose a shorter one with CODEMESH_HOME.",
  );
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EISDIR";
  }
}

function finding(name: string, ok: boolean, detail: string, remedy?: string): Finding {
  return { name, ok, detail, ...(ok || remedy === undefined ? {} : { remedy }) };
}
