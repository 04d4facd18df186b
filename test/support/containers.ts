import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { mesh } from "../mesh/mesh.js";
import { run } from "./executions.js";

const CGROUP_ROOT = "/sys/fs/cgroup";
/** The file that holds the peak memory of a cgroup, version 2 and version 1. */
const PEAK_FILES = ["memory.peak", "memory.max_usage_in_bytes"];

let engine: Docker | undefined;

/** The engine that the mesh runs its sandboxes on. */
export function docker(): Docker {
  engine ??= new Docker({ socketPath: mesh().dockerSocket });
  return engine;
}

/**
 * The id of the container that a session's code runs in.
 *
 * A container out of the warm pool carries no label of its session; the engine's bind mounts in it name it.
 */
export async function containerOf(session: string): Promise<string> {
  const { stdout } = await run(session, 'print(open("/proc/self/mountinfo").read())');
  const id = /\/containers\/([0-9a-f]{64})\//.exec(stdout)?.[1];
  if (id === undefined) {
    throw new Error(`No mount of ${session} names its container.`);
  }
  return id;
}

/** Whether the engine knows a container. */
export async function containerExists(id: string): Promise<boolean> {
  try {
    await docker().getContainer(id).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) {
      return false;
    }
    throw error;
  }
}

/** The peak memory that the kernel counted for a container, bytes. */
export function peakMemoryBytesOf(id: string): number {
  for (const directory of cgroupsOf(id)) {
    for (const file of PEAK_FILES) {
      const text = readIfThere(join(directory, file));
      if (text !== undefined) {
        return Number(text);
      }
    }
  }
  throw new Error(`No memory cgroup of container ${id} is below ${CGROUP_ROOT}.`);
}

function cgroupsOf(id: string): string[] {
  return readdirSync(CGROUP_ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.includes(id))
    .map((entry) => join(entry.parentPath, entry.name));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
