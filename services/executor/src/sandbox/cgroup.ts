import { closeSync, openSync, readSync } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import type { Reading } from "../domain/usage-sample.js";

// A container's counters, in whichever layout the host has: version 1 (a hierarchy per controller), version 2 (one), or
// both mounted side by side. Each counter is found by itself. Files stay open and are read without a thread, for a read
// costs microseconds; once the container is gone a read fails, and the last reading stands.

const BUFFER_BYTES = 4096;
const buffer = Buffer.alloc(BUFFER_BYTES);

/** The counters of one container. */
export interface Cgroup {
  /** The counters now; those of the last reading once the container is gone. */
  read(): Reading;
  close(): void;
}

interface Source {
  /** The version 1 controller; absent for a file of version 2. */
  readonly controller?: string;
  readonly file: string;
  readonly value: (text: string) => bigint;
}

const field = (name: string) => (text: string) => BigInt(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
const whole = (text: string) => BigInt(text.trim());

const CPU_US: readonly Source[] = [
  { controller: "cpuacct", file: "cpuacct.usage", value: (text) => whole(text) / 1000n },
  { file: "cpu.stat", value: field("usage_usec") },
];
const PEAK_MEMORY_BYTES: readonly Source[] = [
  { controller: "memory", file: "memory.max_usage_in_bytes", value: whole },
  { file: "memory.peak", value: whole },
  // Kernels before 5.19 count no peak; then it is the largest of our readings.
  { file: "memory.current", value: whole },
];
const OOM_KILLS: readonly Source[] = [
  { controller: "memory", file: "memory.oom_control", value: field("oom_kill") },
  { file: "memory.events", value: field("oom_kill") },
];

/** Opens the counters of the container whose first process is `pid`. `root` is where the host's cgroups are mounted. */
export async function openCgroup(root: string, pid: number, containerId: string): Promise<Cgroup> {
  const membership = await readFile(`/proc/${pid}/cgroup`, "utf8");
  const [cpu, memory, oom] = await Promise.all(
    [CPU_US, PEAK_MEMORY_BYTES, OOM_KILLS].map((sources) => openCounter(root, membership, containerId, sources)),
  );
  if (cpu === undefined || memory === undefined || oom === undefined) {
    throw new Error("a container without counters");
  }
  let last: Reading = { cpuUs: 0n, peakMemoryBytes: 0n, oomKills: 0 };
  return {
    read() {
      const memoryBytes = memory.read() ?? 0n;
      last = {
        cpuUs: cpu.read() ?? last.cpuUs,
        peakMemoryBytes: memoryBytes > last.peakMemoryBytes ? memoryBytes : last.peakMemoryBytes,
        oomKills: Number(oom.read() ?? last.oomKills),
      };
      return last;
    },
    close() {
      for (const counter of [cpu, memory, oom]) {
        counter.close();
      }
    },
  };
}

interface Counter {
  read(): bigint | undefined;
  close(): void;
}

async function openCounter(
  root: string,
  membership: string,
  containerId: string,
  sources: readonly Source[],
): Promise<Counter> {
  for (const source of sources) {
    for (const directory of directoriesOf(root, membership, containerId, source.controller)) {
      const path = join(directory, source.file);
      if (await exists(path)) {
        return counterOf(openSync(path, "r"), source.value);
      }
    }
  }
  throw new Error(`No ${sources.map((source) => source.file).join(" or ")} of a container under ${root}.`);
}

/** Where a controller's files of a container can be, likeliest first. */
export function directoriesOf(
  root: string,
  membership: string,
  containerId: string,
  controller: string | undefined,
): string[] {
  for (const line of membership.split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const mounts =
      controller === undefined
        ? controllers === "" && path !== ""
          ? ["", "unified"]
          : []
        : controllers.split(",").includes(controller)
          ? [controllers, controller]
          : [];
    if (mounts.length > 0) {
      // In a container with a cgroup namespace of its own, the executor sees paths relative to itself, which lead nowhere
      // under the host's mount; the engine's two ways to name a container's cgroup do.
      const paths = [path, `/docker/${containerId}`, `/system.slice/docker-${containerId}.scope`].filter(
        (candidate) => normalize(candidate) !== "/" && !candidate.startsWith("/.."),
      );
      return mounts.flatMap((mount) => paths.map((candidate) => join(root, mount, candidate)));
    }
  }
  return [];
}

function counterOf(descriptor: number, value: (text: string) => bigint): Counter {
  let open = true;
  return {
    read() {
      if (!open) {
        return undefined;
      }
      try {
        return value(buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, BUFFER_BYTES, 0)));
      } catch {
        // ENODEV: the cgroup is gone.
        return undefined;
      }
    },
    close() {
      if (open) {
        open = false;
        closeSync(descriptor);
      }
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
