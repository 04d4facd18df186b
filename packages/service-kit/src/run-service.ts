import { ConfigError } from "./environment.js";
import { createLogger, type Logger } from "./logger.js";

/** What a service's start hands back. */
export interface RunningService {
  /** Drains and stops; called once. */
  stop(): Promise<void>;
}

export interface ServiceContext {
  readonly logger: Logger;
  /** Aborted when the process is asked to stop, also during the start. */
  readonly signal: AbortSignal;
}

const STOP_LIMIT_MS = 25_000;
const EXIT_CONFIG = 78;

/**
 * Runs a service until SIGTERM or SIGINT, then stops it.
 *
 * Exit codes: 0 stopped, 1 failed or did not stop within 25 s, 78 (EX_CONFIG) wrong configuration.
 */
export function runService(name: string, start: (context: ServiceContext) => Promise<RunningService>): void {
  const logger = createLogger({ service: name, level: process.env["CODEMESH_LOG_LEVEL"] || "info" });
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        logger.info({ signal }, "stopping");
        stopping.abort();
        resolve();
      });
    }
  });
  process.on("unhandledRejection", (error) => {
    logger.fatal({ err: error }, "unhandled rejection");
    process.exit(1);
  });
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "uncaught exception");
    process.exit(1);
  });
  void live(start, { logger, signal: stopping.signal }, asked).then(
    () => {
      logger.info("stopped");
      process.exit(0);
    },
    (error: unknown) => {
      if (error instanceof ConfigError) {
        logger.fatal(`The configuration is wrong. ${error.message}`);
        process.exit(EXIT_CONFIG);
      }
      logger.fatal({ err: error }, "failed");
      process.exit(1);
    },
  );
}

async function live(
  start: (context: ServiceContext) => Promise<RunningService>,
  context: ServiceContext,
  asked: Promise<void>,
): Promise<void> {
  const service = await start(context);
  await asked;
  const limit = setTimeout(() => {
    context.logger.fatal({ limitMs: STOP_LIMIT_MS }, "did not stop in time");
    process.exit(1);
  }, STOP_LIMIT_MS);
  limit.unref();
  await service.stop();
}
