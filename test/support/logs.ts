import { readFileSync, statSync } from "node:fs";
import { mesh } from "../mesh/mesh.js";

/** The services of a mesh, by the names of their logs. */
export const SERVICES = ["gateway", "session-manager", "executor", "file-transfer", "metering"] as const;

export type ServiceName = (typeof SERVICES)[number];

/** A line of a service's log. */
export interface LogLine {
  readonly service: ServiceName;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A point in every log; `since` yields the lines after it. */
export type LogMark = ReadonlyMap<ServiceName, number>;

/** The ends of all logs now. */
export function markLogs(): LogMark {
  return new Map(SERVICES.map((service) => [service, statSync(mesh().logFile(service)).size]));
}

/** The lines that all logs gained since a mark. */
export function since(mark: LogMark): LogLine[] {
  return SERVICES.flatMap((service) => linesOf(service, mark.get(service)));
}

/** The address that a service last said it listens on. */
export function addressOf(service: ServiceName): string {
  const url = linesOf(service).findLast((line) => line.fields["msg"] === "listening")?.fields["url"];
  if (typeof url !== "string") {
    throw new Error(`The log of ${service} names no address.`);
  }
  return url;
}

function linesOf(service: ServiceName, from = 0): LogLine[] {
  const content = readFileSync(mesh().logFile(service)).subarray(from).toString("utf8");
  return content
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => ({ service, text, fields: fieldsOf(text) }));
}

/** A line that is not JSON has no fields. */
function fieldsOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
