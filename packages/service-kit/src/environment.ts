import { z } from "zod";

/** The configuration is wrong; the message names every wrong variable, its value and what would do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** `host:port` of a socket to listen on; port 0 takes any free one. */
export const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "must be host:port")
  .transform((text) => {
    const colon = text.lastIndexOf(":");
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
  })
  .refine((address) => address.port <= 65_535, "must have a port of at most 65535");

/** Where a server listens. */
export type ListenAddress = z.output<typeof listenAddress>;

/** A whole number, written in decimal digits, from `min` to `max`. */
export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

/** The variables that every service reads. */
export const baseEnvironment = {
  CODEMESH_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  CODEMESH_NATS_URL: z.url({ protocol: /^(nats|tls)$/ }).default("nats://127.0.0.1:4710"),
  CODEMESH_NATS_USER: z.string().min(1).default("codemesh"),
  CODEMESH_NATS_PASSWORD_FILE: z.string().min(1),
  CODEMESH_KV_REPLICAS: integer(1, 5).prefault("1"),
  CODEMESH_GATEWAY_PUBLIC_KEY_FILE: z.string().min(1),
};

/** The variables named by `shape`, checked; throws one ConfigError for all that are wrong. */
export function parseEnvironment<T extends z.ZodRawShape>(
  shape: T,
  environment: NodeJS.ProcessEnv = process.env,
): z.output<z.ZodObject<T>> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = z.object(shape).safeParse(present);
  if (result.success) {
    return result.data;
  }
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = present[name];
    return value === undefined ? `${name} is not set.` : `${name}=${JSON.stringify(value)}: ${issue.message}.`;
  });
  throw new ConfigError(lines.join("\n"));
}
