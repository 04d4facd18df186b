import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ExecutorRecord, ExecutorRecordSchema } from "@codemesh/api";
import type { RecordStore } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";

const PERIOD_MS = 2_000;

/** What an executor says of itself with every beat. */
export type Load = Pick<ExecutorRecord, "capacity" | "sandboxes" | "warm" | "draining">;

export interface HeartbeatOptions {
  readonly id: string;
  /** `http://host:port` where others reach it. */
  readonly address: string;
  /** Drawn at each start. */
  readonly incarnation: string;
  readonly load: () => Load;
  readonly executors: Pick<RecordStore<ExecutorRecord>, "put" | "delete">;
  readonly logger: Logger;
}

export interface Heartbeat {
  /** Writes at once, not waiting for the next beat. */
  beat(): Promise<void>;
  /** Beats no more and takes the record away. */
  stop(): Promise<void>;
}

/** Writes the executor's record now and every 2 s; settles after the first. */
export async function startHeartbeat(options: HeartbeatOptions): Promise<Heartbeat> {
  const { id, address, incarnation, executors, logger } = options;
  let quiet = false;
  const write = () =>
    executors.put(
      id,
      create(ExecutorRecordSchema, {
        id,
        address,
        incarnation,
        heartbeatTime: timestampFromMs(Date.now()),
        ...options.load(),
      }),
    );
  const beat = async () => {
    try {
      await write();
      quiet = false;
    } catch (error) {
      // Said once for each time the bus is away.
      if (!quiet) {
        logger.warn({ err: error }, "heartbeat not stored");
      }
      quiet = true;
    }
  };
  await write();
  let writing = false;
  const timer = setInterval(async () => {
    if (!writing) {
      writing = true;
      await beat();
      writing = false;
    }
  }, PERIOD_MS);
  return {
    beat,
    async stop() {
      clearInterval(timer);
      await executors.delete(id).catch((error: unknown) => logger.warn({ err: error }, "record not taken away"));
    },
  };
}
