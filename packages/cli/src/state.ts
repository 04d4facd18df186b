import { readText, writePrivate } from "./files.js";
import type { MeshPaths } from "./paths.js";
import type { MeshPorts } from "./services.js";

/** What a mesh was last started as; written when all of it serves. */
export interface MeshState {
  readonly instance: string;
  /** Where clients call, `http://host:port`. */
  readonly gatewayUrl: string;
  readonly natsUrl: string;
  /** `unix:///path` of the engine that holds the sandboxes. */
  readonly dockerHost: string;
  readonly runtimeImage: string;
  readonly ports: MeshPorts;
}

/** The state of a mesh, or `undefined` when it was never up. */
export function readState(paths: MeshPaths): MeshState | undefined {
  return stateFrom(readText(paths.state));
}

/** Keeps the state of a mesh. */
export function writeState(paths: MeshPaths, state: MeshState): void {
  writePrivate(paths.state, `${JSON.stringify(state, undefined, 2)}\n`);
}

/** The state in a text, or `undefined` when it does not hold one whole. */
export function stateFrom(text: string | undefined): MeshState | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<MeshState>;
    const whole =
      typeof value.instance === "string" &&
      typeof value.gatewayUrl === "string" &&
      typeof value.natsUrl === "string" &&
      typeof value.dockerHost === "string" &&
      typeof value.runtimeImage === "string" &&
      typeof value.ports === "object";
    return whole ? (value as MeshState) : undefined;
  } catch {
    return undefined;
  }
}
