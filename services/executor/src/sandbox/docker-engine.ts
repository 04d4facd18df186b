import Docker from "dockerode";
import { type ContainerSpec, containerOptions, Labels } from "./container-spec.js";

/** How long the engine may be silent on a call, ms; creating and removing wait for the disk. */
const SILENCE_LIMIT_MS = 30_000;
const REMOVE_POLL_MS = 50;

/** A container of ours, as the engine knows it. */
export interface OwnContainer {
  readonly id: string;
  /** Its sandbox's id. */
  readonly sandbox: string;
}

/** What the executor asks of a Docker Engine. A call on which it is silent for 30 s fails. */
export interface DockerEngine {
  /** The engine's version; throws when it does not answer. */
  version(): Promise<string>;
  /** The id of an image, or `undefined` when the engine has none of this name. */
  imageId(name: string): Promise<string | undefined>;
  /** Creates a container and gives its id. */
  create(spec: ContainerSpec): Promise<string>;
  /** Starts it and gives the host's process id of its first process. */
  start(id: string): Promise<number>;
  /** Kills it if it runs and removes it; settles when it is gone, also if it was. */
  remove(id: string): Promise<void>;
  /** The containers of one executor of one mesh, running or not. */
  list(owner: { readonly instance: string; readonly executor: string }): Promise<OwnContainer[]>;
}

/** The engine at `unix:///path` or `http://host:port`. */
export function createDockerEngine(host: string): DockerEngine {
  const url = new URL(host);
  const docker =
    url.protocol === "unix:"
      ? new Docker({ socketPath: url.pathname, timeout: SILENCE_LIMIT_MS })
      : new Docker({ protocol: "http", host: url.hostname, port: Number(url.port), timeout: SILENCE_LIMIT_MS });
  return {
    async version() {
      return (await docker.version()).Version;
    },
    async imageId(name) {
      try {
        return (await docker.getImage(name).inspect()).Id;
      } catch (error) {
        if (isStatus(error, 404)) {
          return undefined;
        }
        throw error;
      }
    },
    async create(spec) {
      return (await docker.createContainer(containerOptions(spec))).id;
    },
    async start(id) {
      const container = docker.getContainer(id);
      await container.start();
      return (await container.inspect()).State.Pid;
    },
    async remove(id) {
      const container = docker.getContainer(id);
      try {
        await container.remove({ force: true, v: true });
      } catch (error) {
        if (isStatus(error, 409)) {
          await gone(container);
        } else if (!isStatus(error, 404)) {
          throw error;
        }
      }
    },
    async list({ instance, executor }) {
      const label = [`${Labels.instance}=${instance}`, `${Labels.executor}=${executor}`];
      const containers = await docker.listContainers({ all: true, filters: { label } });
      return containers.map(({ Id, Labels: labels }) => ({ id: Id, sandbox: labels[Labels.sandbox] ?? "" }));
    },
  };
}

/** Somebody else is removing it; waits until that is done. */
async function gone(container: Docker.Container): Promise<void> {
  for (;;) {
    try {
      await container.inspect();
    } catch (error) {
      if (isStatus(error, 404)) {
        return;
      }
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, REMOVE_POLL_MS));
  }
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof Error && "statusCode" in error && error.statusCode === status;
}
