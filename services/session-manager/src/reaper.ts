import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@codemesh/service-kit";
import { terminated } from "./domain/session.js";
import { verdict } from "./domain/verdict.js";
import type { ExecutorRegistry } from "./executor-registry.js";
import { sessionFromRecord } from "./session-record.js";
import type { SessionStore } from "./session-store.js";

const ROUND_MS = 2_000;

export interface Reaper {
  stop(): Promise<void>;
}

export interface ReaperOptions {
  readonly store: SessionStore;
  readonly registry: Pick<ExecutorRegistry, "isPresent">;
  /** How long an ended session is kept, ms. */
  readonly keepMs: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Ends, every 2 s, the sessions that nobody else will end: those of lost executors, those that never came up and those
 * whose deadline has passed in silence. Every replica does; whose write comes first is the one that counts.
 */
export function startReaper(options: ReaperOptions): Reaper {
  const stopping = new AbortController();
  const rounds = (async () => {
    while (!stopping.signal.aborted) {
      // Ends early only when it is aborted, and then the loop does.
      await sleep(ROUND_MS, undefined, { signal: stopping.signal }).catch(() => {});
      await reap(options, stopping.signal);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await rounds;
    },
  };
}

/** One round. */
export async function reap(options: ReaperOptions, signal: AbortSignal): Promise<void> {
  const { store, registry, now, logger } = options;
  const presence = new Map<string, Promise<boolean>>();
  for (const key of store.index.liveKeys()) {
    if (signal.aborted) {
      return;
    }
    const record = store.index.get(key)?.value;
    if (record === undefined) {
      continue;
    }
    try {
      const { tenant, id, executor, incarnation } = sessionFromRecord(record);
      const holder = `${executor}\n${incarnation}`;
      const present = presence.get(holder) ?? registry.isPresent(executor, incarnation);
      presence.set(holder, present);
      const holderNow = (await present) ? "present" : "gone";
      await store.change(tenant, id, (session) => {
        const reason = verdict(session, holderNow, now());
        return reason === undefined ? session : terminated(session, reason, now());
      });
    } catch (error) {
      logger.warn({ err: error, key }, "a session could not be looked after");
    }
  }
  store.index.forgetEndedBefore(now() - options.keepMs);
}
