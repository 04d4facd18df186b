import { LINK_DIRECTORY } from "@codemesh/link";
import type { ContainerCreateOptions, HostConfig } from "dockerode";

/** What a sandbox may use. */
export interface SandboxLimits {
  readonly cpus: number;
  readonly memoryMib: number;
  readonly pids: number;
  readonly workspaceMib: number;
  readonly tmpMib: number;
}

export interface ContainerSpec {
  /** The image's id, so that a tag that moves changes nothing under way. */
  readonly image: string;
  /** Which mesh it belongs to. */
  readonly instance: string;
  readonly executor: string;
  readonly sandbox: string;
  /** On the host, of nobody else; its group has the same number. */
  readonly uid: number;
  /** The host's directory with the sandbox's socket. */
  readonly linkDirectory: string;
  readonly limits: SandboxLimits;
}

/** The labels by which our containers are known. */
export const Labels = {
  instance: "codemesh.instance",
  executor: "codemesh.executor",
  sandbox: "codemesh.sandbox",
} as const;

const MIB = 1 << 20;
const SHM_MIB = 64;
/** One inode for each 16 KiB: plenty of small files, and a bound on the kernel's memory for them. */
const INODES_PER_MIB = 64;
const OOM_SCORE_ADJ = 500;

/** Listed in full, for the defaults of engines grew over the years. */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Everything the engine is told about a sandbox. Only the fields of `spec` vary; nothing comes from a tenant. */
export function containerOptions(spec: ContainerSpec): ContainerCreateOptions {
  const { uid, limits } = spec;
  return {
    name: `codemesh-${spec.sandbox}`,
    Image: spec.image,
    Cmd: [],
    WorkingDir: "/workspace",
    User: `${uid}:${uid}`,
    Hostname: "sandbox",
    // Libraries that start a thread per processor of the host would meet the limit on processes.
    Env: [`OPENBLAS_NUM_THREADS=${Math.ceil(limits.cpus)}`, `OMP_NUM_THREADS=${Math.ceil(limits.cpus)}`],
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    NetworkDisabled: true,
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      [Labels.instance]: spec.instance,
      [Labels.executor]: spec.executor,
      [Labels.sandbox]: spec.sandbox,
    },
    HostConfig: hostConfig(spec),
  };
}

function hostConfig({ uid, limits, linkDirectory }: ContainerSpec): HostConfig & { CgroupnsMode: string } {
  const memoryBytes = limits.memoryMib * MIB;
  return {
    Privileged: false,
    CapAdd: [],
    CapDrop: ["ALL"],
    GroupAdd: [],
    SecurityOpt: ["no-new-privileges:true"],
    ReadonlyRootfs: true,
    // The image's entrypoint is an init of its own.
    Init: false,
    PidMode: "",
    IpcMode: "private",
    CgroupnsMode: "private",
    Memory: memoryBytes,
    MemorySwap: memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.pids,
    OomKillDisable: false,
    OomScoreAdj: OOM_SCORE_ADJ,
    Ulimits: [
      // With a core_pattern that is a pipe, 0 would still run the host's handler; 1 does not.
      { Name: "core", Soft: 1, Hard: 1 },
      { Name: "nofile", Soft: 1024, Hard: 1024 },
      { Name: "memlock", Soft: 65_536, Hard: 65_536 },
      { Name: "msgqueue", Soft: 819_200, Hard: 819_200 },
    ],
    Devices: [],
    Binds: [],
    Mounts: [
      {
        Type: "bind",
        Source: linkDirectory,
        Target: LINK_DIRECTORY,
        ReadOnly: true,
        BindOptions: { Propagation: "rprivate" },
      },
    ],
    Tmpfs: {
      // runc before 1.1.6 gives a tmpfs the mode of the image's directory; the owner makes it the sandbox's all the same.
      "/workspace": tmpfs(limits.workspaceMib, `exec,mode=0700,uid=${uid},gid=${uid}`),
      "/tmp": tmpfs(limits.tmpMib, "exec,mode=1777"),
      "/dev/shm": tmpfs(SHM_MIB, "noexec,mode=1777"),
    },
    NetworkMode: "none",
    PortBindings: {},
    PublishAllPorts: false,
    LogConfig: { Type: "none", Config: {} },
    RestartPolicy: { Name: "no" },
    AutoRemove: false,
    MaskedPaths: MASKED_PATHS,
    ReadonlyPaths: READONLY_PATHS,
  };
}

function tmpfs(sizeMib: number, options: string): string {
  return `rw,nosuid,nodev,size=${sizeMib * MIB},nr_inodes=${sizeMib * INODES_PER_MIB},${options}`;
}
