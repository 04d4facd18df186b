import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** A JSON logger to standard output for one service. Code, output and credentials are never logged. */
export function createLogger(options: { readonly service: string; readonly level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ["*.authorization", "*.token", "*.secret", "*.password"], censor: "[redacted]" },
  });
}
