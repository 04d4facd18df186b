import { hostname } from "node:os";
import { join } from "node:path";
import { LINK_SOCKET } from "@codemesh/link";
import { baseEnvironment, ConfigError, integer, listenAddress, parseEnvironment } from "@codemesh/service-kit";
import { z } from "zod";

/** The longest path of a unix socket, bytes: `sun_path` less its NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const SANDBOX_ID_LENGTH = 16;

const shape = {
  ...baseEnvironment,
  CODEMESH_LISTEN: listenAddress.prefault("127.0.0.1:4702"),
  CODEMESH_EXECUTOR_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 - _")
    .prefault(hostname().replaceAll(/[^A-Za-z0-9_-]/g, "-")),
  CODEMESH_EXECUTOR_ADVERTISE_URL: z.url({ protocol: /^http$/ }).optional(),
  CODEMESH_INSTANCE: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, "must be 1 to 128 of A-Z a-z 0-9 - _ ."),
  CODEMESH_DATA_DIR: z
    .string()
    .startsWith("/", "must be an absolute path")
    .refine(
      (path) => Buffer.byteLength(longestSocketPath(path)) <= MAX_SOCKET_PATH_BYTES,
      `must be short enough for sockets below it, whose paths have at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    ),
  CODEMESH_DOCKER_HOST: z
    .string()
    .regex(/^(unix:\/\/\/|http:\/\/)/, "must be unix:///path or http://host:port")
    .default("unix:///var/run/docker.sock"),
  CODEMESH_RUNTIME_IMAGE: z.string().min(1),
  CODEMESH_WARM_POOL: integer(0, 1_000).prefault("2"),
  CODEMESH_MAX_SANDBOXES: integer(1, 10_000).prefault("64"),
  CODEMESH_UID_BASE: integer(1_000, 2 ** 31).prefault("200000"),
  CODEMESH_UID_COUNT: integer(1, 2 ** 24).prefault("10000"),
  CODEMESH_SANDBOX_CPUS: z
    .string()
    .regex(/^\d+(\.\d{1,2})?$/, "must be a number with at most two decimals")
    .transform(Number)
    .refine((cpus) => cpus > 0, "must be more than 0")
    .prefault("2"),
  CODEMESH_SANDBOX_MEMORY_MIB: integer(128, 1 << 20).prefault("2048"),
  CODEMESH_SANDBOX_PIDS: integer(32, 32_768).prefault("256"),
  CODEMESH_WORKSPACE_MIB: integer(1, 1 << 20).prefault("1024"),
  CODEMESH_TMP_MIB: integer(1, 1 << 20).prefault("256"),
  CODEMESH_CGROUP_ROOT: z.string().startsWith("/", "must be an absolute path").default("/sys/fs/cgroup"),
};

/** The configuration; throws one ConfigError that names every wrong variable. */
export function readConfig(environment: NodeJS.ProcessEnv) {
  const values = parseEnvironment(shape, environment);
  // Half the range rests while the other half is in use.
  if (values.CODEMESH_UID_COUNT < 2 * (values.CODEMESH_MAX_SANDBOXES + values.CODEMESH_WARM_POOL)) {
    throw new ConfigError(
      `CODEMESH_UID_COUNT=${values.CODEMESH_UID_COUNT}: must be at least twice CODEMESH_MAX_SANDBOXES plus CODEMESH_WARM_POOL.`,
    );
  }
  return values;
}

function longestSocketPath(dataDirectory: string): string {
  return join(dataDirectory, "links", "0".repeat(SANDBOX_ID_LENGTH), LINK_SOCKET);
}
