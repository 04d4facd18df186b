import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./files.js";
import { NATS_USER } from "./nats-server.js";
import type { MeshPaths } from "./paths.js";
import type { ProcessSpec } from "./processes.js";
import { inRepository } from "./repository.js";

/** The five services, in the order in which they are listed; they start side by side and stop in reverse. */
export const SERVICES = ["metering", "executor", "file-transfer", "session-manager", "gateway"] as const;

/** One of the five services. */
export type ServiceName = (typeof SERVICES)[number];

/** The loopback ports of a mesh, one per process that listens. */
export type MeshPorts = Readonly<Record<ServiceName | "nats", number>>;

/** The ports that a mesh takes when they are free. */
export const DEFAULT_PORTS: MeshPorts = {
  gateway: 4700,
  "session-manager": 4701,
  executor: 4702,
  "file-transfer": 4703,
  metering: 4704,
  nats: 4710,
};

/** What the services of one mesh share. */
export interface ServiceSettings {
  readonly paths: MeshPaths;
  readonly instance: string;
  readonly ports: MeshPorts;
  readonly dockerHost: string;
  readonly runtimeImage: string;
  /** Variables on top, for everyone's configuration and for tests. */
  readonly environment: Readonly<Partial<Record<ServiceName, NodeJS.ProcessEnv>>>;
}

/** Passed on from the shell when they are set; all other variables of the shell stay out of the services. */
const FROM_SHELL = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS", "CODEMESH_LOG_LEVEL"];
const FROM_SHELL_FOR_EXECUTOR = [
  "CODEMESH_WARM_POOL",
  "CODEMESH_MAX_SANDBOXES",
  "CODEMESH_UID_BASE",
  "CODEMESH_UID_COUNT",
  "CODEMESH_SANDBOX_CPUS",
  "CODEMESH_SANDBOX_MEMORY_MIB",
  "CODEMESH_SANDBOX_PIDS",
  "CODEMESH_WORKSPACE_MIB",
  "CODEMESH_TMP_MIB",
];

/** The process that a service is. */
export function serviceProcess(name: ServiceName, settings: ServiceSettings): ProcessSpec {
  const main = inRepository("services", name, "dist", "main.js");
  const environment = meshEnvironment(name, settings);
  // Another shell with another PATH or TZ is no reason to start a service anew: what it was started with stays.
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([process.execPath, main, Object.entries(environment).toSorted()]))
    .update(buildOf(name));
  return {
    name,
    command: process.execPath,
    arguments: [main],
    environment: { ...shellEnvironment(name), ...environment },
    fingerprint: fingerprint.digest("hex"),
    address: `http://127.0.0.1:${settings.ports[name]}`,
  };
}

/** What a service is told about its mesh. */
function meshEnvironment(name: ServiceName, settings: ServiceSettings): NodeJS.ProcessEnv {
  const { paths, ports } = settings;
  const url = (service: ServiceName) => `http://127.0.0.1:${ports[service]}`;
  const own: Record<ServiceName, NodeJS.ProcessEnv> = {
    gateway: {
      CODEMESH_GATEWAY_PRIVATE_KEY_FILE: paths.gatewayPrivateKey,
      CODEMESH_SESSION_MANAGER_URL: url("session-manager"),
      CODEMESH_FILE_TRANSFER_URL: url("file-transfer"),
      CODEMESH_METERING_URL: url("metering"),
    },
    "session-manager": {},
    "file-transfer": {},
    executor: {
      CODEMESH_INSTANCE: settings.instance,
      CODEMESH_DATA_DIR: paths.executor,
      CODEMESH_DOCKER_HOST: settings.dockerHost,
      CODEMESH_RUNTIME_IMAGE: settings.runtimeImage,
    },
    metering: { CODEMESH_DATA_DIR: paths.metering },
  };
  return {
    CODEMESH_LISTEN: `127.0.0.1:${ports[name]}`,
    CODEMESH_NATS_URL: `nats://127.0.0.1:${ports.nats}`,
    CODEMESH_NATS_USER: NATS_USER,
    CODEMESH_NATS_PASSWORD_FILE: paths.natsPassword,
    CODEMESH_GATEWAY_PUBLIC_KEY_FILE: paths.gatewayPublicKey,
    ...own[name],
    ...settings.environment[name],
  };
}

function shellEnvironment(name: ServiceName): NodeJS.ProcessEnv {
  const names = name === "executor" ? [...FROM_SHELL, ...FROM_SHELL_FOR_EXECUTOR] : FROM_SHELL;
  return Object.fromEntries(
    names.flatMap((variable) => (process.env[variable] ? [[variable, process.env[variable]]] : [])),
  );
}

/** What the compiler last built of a service and the packages below it: its records hold the hashes of all sources. */
function buildOf(name: ServiceName): string {
  const packages = readdirSync(inRepository("packages"))
    .filter((directory) => directory !== "cli" && directory !== "sdk")
    .map((directory) => inRepository("packages", directory));
  return [inRepository("services", name), ...packages]
    .map((directory) => readText(join(directory, "dist", ".tsbuildinfo")) ?? "")
    .join("\n");
}
