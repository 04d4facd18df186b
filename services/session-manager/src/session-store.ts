import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EndReason, LifecycleEventSchema, Refusal, type SessionRecord, SessionState } from "@codemesh/api";
import { Buckets, type Bus, type Entry, type RecordStore, RevisionConflict, sessionKey } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";
import { Code } from "@connectrpc/connect";
import type { Creating, Session } from "./domain/session.js";
import { createSessionIndex, type SessionIndex } from "./session-index.js";
import { recordFromSession, sessionFromRecord } from "./session-record.js";

/** Each lost race means that another replica got further with the same session, which has four states at most. */
const MAX_RACES = 20;
const RETRY_AFTER_MS = 1_000;

/** A session as it is stored. */
export interface Stored {
  readonly session: Session;
  readonly record: SessionRecord;
}

/**
 * The records of sessions. Every change compares and swaps the revision and is told to the world as a lifecycle event.
 * What was asked of it while the bucket does not answer is refused with `UNAVAILABLE` / `SERVICE_UNAVAILABLE`.
 */
export interface SessionStore {
  /** All sessions, in memory; has this replica's own changes at once and those of others a moment later. */
  readonly index: SessionIndex;
  /** Settles when the index has what was there at the start. */
  readonly ready: Promise<void>;
  create(session: Creating): Promise<Stored>;
  /** The session as it is in the bucket now. */
  get(tenant: string, sessionId: string): Promise<Stored | undefined>;
  /** The session after this transition, which is tried again on what another replica made of it meanwhile. */
  change(tenant: string, sessionId: string, transition: (session: Session) => Session): Promise<Stored | undefined>;
  stop(): Promise<void>;
}

/** Opens the bucket of sessions and starts to follow it. */
export async function openSessionStore(bus: Bus, now: () => number, logger: Logger): Promise<SessionStore> {
  const records: RecordStore<SessionRecord> = await bus.records(Buckets.sessions);
  const index = createSessionIndex();
  const watch = await records.watch(({ key, entry }) => {
    if (entry === undefined) {
      index.remove(key);
    } else {
      index.apply(entry);
    }
  });

  async function asked<T>(work: () => Promise<T>): Promise<T> {
    if (!bus.connected()) {
      throw unavailable(undefined);
    }
    try {
      return await work();
    } catch (error) {
      throw error instanceof RevisionConflict ? error : unavailable(error);
    }
  }

  function written(session: Session, record: SessionRecord, key: string, revision: bigint): Stored {
    index.apply({ key, value: record, revision });
    void bus.publishLifecycle(
      create(LifecycleEventSchema, {
        tenant: session.tenant,
        session: record.session,
        revision,
        time: timestampFromMs(now()),
      }),
    );
    logger.info(
      {
        tenant: session.tenant,
        session: session.id,
        executor: session.executor,
        ...("endReason" in session ? { reason: EndReason[session.endReason] } : {}),
      },
      `session ${SessionState[session.state]}`,
    );
    return { session, record };
  }

  const read = (key: string) => asked(() => records.get(key));

  return {
    index,
    ready: watch.ready,
    async create(session) {
      const key = sessionKey(session.tenant, session.id);
      const record = recordFromSession(session);
      return written(session, record, key, await asked(() => records.create(key, record)));
    },
    async get(tenant, sessionId) {
      return stored(await read(sessionKey(tenant, sessionId)));
    },
    async change(tenant, sessionId, transition) {
      const key = sessionKey(tenant, sessionId);
      let entry = index.get(key) ?? (await read(key));
      for (let races = 0; entry !== undefined && races < MAX_RACES; races++) {
        const { value, revision } = entry;
        const before = sessionFromRecord(value);
        const after = transition(before);
        if (after === before) {
          return { session: before, record: value };
        }
        const record = recordFromSession(after, value);
        try {
          return written(after, record, key, await asked(() => records.update(key, record, revision)));
        } catch (error) {
          if (!(error instanceof RevisionConflict)) {
            throw error;
          }
          entry = await read(key);
        }
      }
      if (entry !== undefined) {
        throw unavailable(new Error(`lost ${MAX_RACES} races for ${key}`));
      }
      return undefined;
    },
    async stop() {
      await watch.stop();
    },
  };
}

function stored(entry: Entry<SessionRecord> | undefined): Stored | undefined {
  return entry === undefined ? undefined : { session: sessionFromRecord(entry.value), record: entry.value };
}

function unavailable(cause: unknown): Refusal {
  return new Refusal(
    Code.Unavailable,
    "SERVICE_UNAVAILABLE",
    "The record of sessions cannot be reached at the moment; try again.",
    { retryAfterMs: RETRY_AFTER_MS, cause },
  );
}
