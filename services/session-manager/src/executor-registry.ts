import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ExecutorRecord, healthpb } from "@codemesh/api";
import { Buckets, type Bus } from "@codemesh/bus";
import type { ServiceClients } from "@codemesh/service-kit";
import { isFresh, place } from "./domain/placement.js";
import type { SessionIndex } from "./session-index.js";

const PROBE_LIMIT_MS = 2_000;

/** An executor that is about to get a session. */
export interface Claim {
  readonly executor: ExecutorRecord;
  /** To be called once the session's record is written, or will not be. */
  release(): void;
}

/** The executors there are, as they tell by their heartbeats. */
export interface ExecutorRegistry {
  /** Settles when it has what was there at the start. */
  readonly ready: Promise<void>;
  get(id: string): ExecutorRecord | undefined;
  /** The best executor for one more session that was not tried before, or `undefined` when none can take it. */
  claim(tried: ReadonlySet<string>): Claim | undefined;
  /**
   * Whether this incarnation of an executor is still there. One whose heartbeat is late is asked itself: while NATS is
   * away all executors fall silent, and none of them is lost.
   */
  isPresent(id: string, incarnation: string): Promise<boolean>;
  stop(): Promise<void>;
}

interface Known {
  readonly record: ExecutorRecord;
  readonly heardTimeMs: number;
  /** How many sessions it got since that heartbeat. */
  placed: number;
}

/** Starts to follow the executors. */
export async function openExecutorRegistry(
  bus: Bus,
  index: Pick<SessionIndex, "heldBy">,
  clients: ServiceClients,
  now: () => number,
): Promise<ExecutorRegistry> {
  const known = new Map<string, Known>();
  /** How many sessions are about to be written for an executor. */
  const claimed = new Map<string, number>();
  let following = false;
  const watch = await (await bus.records(Buckets.executors)).watch(({ key, entry }) => {
    if (entry === undefined) {
      known.delete(key);
      return;
    }
    // Heartbeats are timed by this host's clock as they arrive; only what was there before has no other time than its own.
    const writtenTimeMs = entry.value.heartbeatTime === undefined ? 0 : timestampMs(entry.value.heartbeatTime);
    const heardTimeMs = following ? now() : Math.min(now(), writtenTimeMs);
    known.set(key, { record: entry.value, heardTimeMs, placed: 0 });
  });
  const ready = watch.ready.then(() => {
    following = true;
  });

  return {
    ready,
    get: (id) => known.get(id)?.record,
    claim(tried) {
      const candidates = [...known.values()].map((executor) => {
        const { record, heardTimeMs, placed } = executor;
        const { id, draining, capacity } = record;
        const held = index.heldBy(id, record.incarnation) + (claimed.get(id) ?? 0);
        return { executor, id, heardTimeMs, draining, capacity, held, warm: record.warm - placed };
      });
      const best = place(candidates, tried, now());
      if (best === undefined) {
        return undefined;
      }
      best.executor.placed += 1;
      claimed.set(best.id, (claimed.get(best.id) ?? 0) + 1);
      return {
        executor: best.executor.record,
        release() {
          claimed.set(best.id, (claimed.get(best.id) ?? 1) - 1);
        },
      };
    },
    async isPresent(id, incarnation) {
      const executor = known.get(id);
      if (executor === undefined || executor.record.incarnation !== incarnation) {
        return false;
      }
      return isFresh(executor.heardTimeMs, now()) || (await answers(clients, executor.record.address));
    },
    async stop() {
      await watch.stop();
    },
  };
}

async function answers(clients: ServiceClients, address: string): Promise<boolean> {
  try {
    await clients.clientFor(healthpb.Health, address).check({}, { timeoutMs: PROBE_LIMIT_MS });
    return true;
  } catch {
    return false;
  }
}
