import { join } from "node:path";
import {
  containersOf,
  dockerAt,
  ensureService,
  goneWithin,
  type MeshState,
  meshPaths,
  readRecord,
  type ServiceName,
  type ServiceSettings,
  send,
  silentProgress,
} from "@codemesh/cli";
import { inject } from "vitest";

/** Where the mesh of the tests is, as plain data. */
export interface MeshAddresses extends MeshState {
  /** The gateway, `http://host:port`. */
  readonly address: string;
  /** Its data directory. */
  readonly home: string;
  readonly dockerSocket: string;
  readonly natsUser: string;
  readonly natsPasswordFile: string;
  /** An API key of tenant `alice`. */
  readonly key: string;
  /** An API key of tenant `bob`. */
  readonly otherKey: string;
  /** An API key of tenant `alice` that has expired. */
  readonly expiredKey: string;
}

declare module "vitest" {
  interface ProvidedContext {
    mesh: MeshAddresses;
  }
}

/** What the services of the tests are told on top: sandbox uids that no other mesh on this machine uses. */
export const TEST_ENVIRONMENT: ServiceSettings["environment"] = {
  executor: { CODEMESH_UID_BASE: "400000" },
};

/** The mesh of the tests, and what a test may do to it. */
export interface TestMesh extends MeshAddresses {
  /** Sends a signal to a service; returns when it has ended. */
  kill(service: ServiceName, signal: NodeJS.Signals): Promise<void>;
  /** Starts a service that has ended; returns when it serves. */
  start(service: ServiceName): Promise<void>;
  /** The ids of the containers of this mesh, running or not. */
  containers(): Promise<string[]>;
  /** The file that a service, or "nats", logs to. */
  logFile(service: ServiceName | "nats"): string;
}

const KILL_LIMIT_MS = 30_000;

/** The mesh that the global setup started. */
export function mesh(): TestMesh {
  const addresses = inject("mesh");
  const paths = meshPaths(addresses.home);
  return {
    ...addresses,
    async kill(service, signal) {
      const record = readRecord(paths, service);
      if (record === undefined) {
        throw new Error(`${service} was never started.`);
      }
      send(record, signal);
      if (!(await goneWithin(record, KILL_LIMIT_MS))) {
        throw new Error(`${service} still runs ${KILL_LIMIT_MS / 1000} s after ${signal}.`);
      }
    },
    async start(service) {
      await ensureService(service, { ...addresses, paths, environment: TEST_ENVIRONMENT }, silentProgress);
    },
    containers: () => containersOf(dockerAt(addresses.dockerHost), addresses.instance),
    logFile: (service) => join(paths.logs, `${service}.log`),
  };
}
