import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Problem } from "./problem.js";

// A unix socket's path holds 107 bytes. This is the longest one below the data directory.
const SOCKET_PATH_BYTES = 107;
const LONGEST_SOCKET = "/engine/run/containerd/containerd-debug.sock";

/** The longest path a data directory may have, bytes. */
export const MAX_HOME_BYTES = SOCKET_PATH_BYTES - LONGEST_SOCKET.length;

/** Where everything of one mesh lies. */
export interface MeshPaths {
  /** The data directory; all others are below it. */
  readonly home: string;
  /** The API key that `./mesh run` uses. */
  readonly key: string;
  /** The id that this mesh labels its containers with. */
  readonly instance: string;
  /** What the running mesh consists of, JSON. */
  readonly state: string;
  /** Held while a command starts or stops things. */
  readonly lock: string;
  /** What only the gateway may read. */
  readonly gatewaySecrets: string;
  /** What all services may read. */
  readonly sharedSecrets: string;
  readonly gatewayPrivateKey: string;
  readonly gatewayPublicKey: string;
  readonly natsPassword: string;
  readonly nats: string;
  readonly natsConfig: string;
  readonly engine: string;
  readonly executor: string;
  readonly metering: string;
  /** One log file per process. */
  readonly logs: string;
  /** One record per process. */
  readonly run: string;
}

/** The layout of a mesh below its data directory. */
export function meshPaths(home: string): MeshPaths {
  const gatewaySecrets = join(home, "secrets", "gateway");
  const sharedSecrets = join(home, "secrets", "shared");
  return {
    home,
    key: join(home, "key"),
    instance: join(home, "instance"),
    state: join(home, "run", "state.json"),
    lock: join(home, "run", "lock"),
    gatewaySecrets,
    sharedSecrets,
    gatewayPrivateKey: join(gatewaySecrets, "private.pem"),
    gatewayPublicKey: join(sharedSecrets, "gateway-public.pem"),
    natsPassword: join(sharedSecrets, "nats-password"),
    nats: join(home, "nats"),
    natsConfig: join(home, "nats", "nats.conf"),
    engine: join(home, "engine"),
    executor: join(home, "executor"),
    metering: join(home, "metering"),
    logs: join(home, "logs"),
    run: join(home, "run"),
  };
}

/** The data directory: `$CODEMESH_HOME`, else `$XDG_DATA_HOME/codemesh`, else `~/.local/share/codemesh`. */
export function homeFrom(environment: NodeJS.ProcessEnv): string {
  const chosen = environment["CODEMESH_HOME"];
  if (chosen !== undefined && chosen !== "") {
    return resolve(chosen);
  }
  const data = environment["XDG_DATA_HOME"];
  return join(data !== undefined && data !== "" ? data : join(homedir(), ".local", "share"), "codemesh");
}

/** Makes the directories of a mesh, readable by nobody else; refuses a path too long for the sockets below it. */
export function makeDirectories(paths: MeshPaths): void {
  if (Buffer.byteLength(paths.home) > MAX_HOME_BYTES) {
    throw new Problem(
      `The data directory ${paths.home} is longer than ${MAX_HOME_BYTES} bytes; sockets below it could not be opened.`,
      "Choose a shorter one with CODEMESH_HOME.",
    );
  }
  for (const directory of [
    paths.home,
    paths.gatewaySecrets,
    paths.sharedSecrets,
    paths.nats,
    paths.engine,
    paths.metering,
    paths.logs,
    paths.run,
    paths.executor,
  ]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
}
