import { request } from "node:http";
import { join } from "node:path";
import type { MeshPaths } from "./paths.js";
import { Problem } from "./problem.js";

/** The socket that a Docker Engine answers on unless it was told otherwise. */
export const DEFAULT_SOCKET = "/var/run/docker.sock";
/** The oldest Docker API that does what the executor needs (Docker Engine 20.10). */
export const MIN_API_VERSION = "1.41";

const PING_LIMIT_MS = 5_000;

/** A Docker Engine that answered. */
export interface EngineAddress {
  /** `unix:///path`. */
  readonly dockerHost: string;
  /** The newest API version it speaks, `1.41`. */
  readonly apiVersion: string;
  /** Whether it is the one that `./mesh` runs in its data directory. */
  readonly own: boolean;
}

/** The socket of a mesh's own engine. */
export function ownSocket(paths: MeshPaths): string {
  return join(paths.engine, "docker.sock");
}

/** The engine that is there: DOCKER_HOST, else the default socket, else our own; `undefined` when none answers. */
export async function findEngine(paths: MeshPaths, environment: NodeJS.ProcessEnv): Promise<EngineAddress | undefined> {
  const chosen = environment["DOCKER_HOST"];
  if (chosen !== undefined && chosen !== "") {
    return await chosenEngine(chosen, `unix://${ownSocket(paths)}`);
  }
  for (const socket of [DEFAULT_SOCKET, ownSocket(paths)]) {
    const apiVersion = await pingEngine(socket);
    if (apiVersion !== undefined && isNewEnough(apiVersion)) {
      return { dockerHost: `unix://${socket}`, apiVersion, own: socket === ownSocket(paths) };
    }
  }
  return undefined;
}

async function chosenEngine(dockerHost: string, ownHost: string): Promise<EngineAddress> {
  const socket = socketFrom(dockerHost);
  if (socket === undefined) {
    throw new Problem(
      `DOCKER_HOST is ${dockerHost}; the mesh needs an engine on this machine, at a unix socket.`,
      "Set DOCKER_HOST=unix:///path/to/docker.sock, or unset it.",
    );
  }
  const apiVersion = await pingEngine(socket);
  if (apiVersion === undefined) {
    throw new Problem(
      `No Docker Engine answers at ${dockerHost}, which DOCKER_HOST names.`,
      "Start it, or unset DOCKER_HOST.",
    );
  }
  if (!isNewEnough(apiVersion)) {
    throw new Problem(
      `The engine at ${dockerHost} speaks Docker API ${apiVersion}; ${MIN_API_VERSION} or newer is needed.`,
      "Update it to Docker Engine 20.10 or newer.",
    );
  }
  return { dockerHost, apiVersion, own: dockerHost === ownHost };
}

/** The path in `unix:///path`, or `undefined` for any other kind of address. */
export function socketFrom(dockerHost: string): string | undefined {
  return /^unix:\/\/(\/.+)$/.exec(dockerHost)?.[1];
}

/** The API version of the engine at a socket, or `undefined` when none answers. */
export function pingEngine(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: "/_ping", timeout: PING_LIMIT_MS }, (response) => {
      response.resume();
      const version = response.headers["api-version"];
      resolve(response.statusCode === 200 && typeof version === "string" ? version : undefined);
    });
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", () => resolve(undefined));
    call.end();
  });
}

/** Whether an API version, `1.41`, is one that the mesh can use. */
export function isNewEnough(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  const [minMajor = 0, minMinor = 0] = MIN_API_VERSION.split(".").map(Number);
  return major > minMajor || (major === minMajor && minor >= minMinor);
}
