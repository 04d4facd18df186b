import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ApiKeyRecordSchema, ExecutorRecordSchema, SessionRecordSchema } from "@codemesh/api";
import { type JetStreamClient, type KV, type KvEntry, NatsError, StorageType } from "nats";

// Records are protobuf messages in JetStream key-value buckets: binary, so that a service keeps the fields that a newer
// one wrote. Every change of a shared record compares and swaps its revision.

const DAY_MS = 86_400_000;

/** A bucket and the message type of its values. */
export interface Bucket<Desc extends DescMessage> {
  readonly name: string;
  readonly schema: Desc;
  /** How long a record is kept after its last change, ms; 0 means for ever. */
  readonly ttlMs: number;
}

function bucket<Desc extends DescMessage>(name: string, schema: Desc, ttlMs: number): Bucket<Desc> {
  return { name, schema, ttlMs };
}

/** The buckets there are. */
export const Buckets = {
  sessions: bucket("sessions", SessionRecordSchema, 30 * DAY_MS),
  executors: bucket("executors", ExecutorRecordSchema, DAY_MS),
  apiKeys: bucket("api_keys", ApiKeyRecordSchema, 0),
};

/** A record as it is stored. */
export interface Entry<M> {
  readonly key: string;
  readonly value: M;
  /** Grows with every change of the bucket. */
  readonly revision: bigint;
}

export interface RecordChange<M> {
  readonly key: string;
  /** The record now; `undefined` when it was deleted. */
  readonly entry: Entry<M> | undefined;
}

export interface RecordWatch {
  /** Settles when everything that was there at the start has been handed over. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** There is such a record already. */
export class RecordExists extends Error {
  override readonly name = "RecordExists";
}

/** Somebody else changed the record first; read it again. */
export class RevisionConflict extends Error {
  override readonly name = "RevisionConflict";
}

/** The records of one bucket. */
export interface RecordStore<M> {
  get(key: string): Promise<Entry<M> | undefined>;
  /** The new revision; throws RecordExists. */
  create(key: string, value: M): Promise<bigint>;
  /** The new revision; throws RevisionConflict when `revision` is not the latest. */
  update(key: string, value: M, revision: bigint): Promise<bigint>;
  /** The new revision, whatever was there. For records with one writer. */
  put(key: string, value: M): Promise<bigint>;
  delete(key: string): Promise<void>;
  /** Hands over what is there and then every change, in order. */
  watch(onChange: (change: RecordChange<M>) => void): Promise<RecordWatch>;
}

/** JetStream's error code for a revision that is not the latest. */
const WRONG_LAST_SEQUENCE = 10_071;

/** Opens a bucket, making it if it is missing. */
export async function openRecords<Desc extends DescMessage>(
  jetstream: JetStreamClient,
  { name, schema, ttlMs }: Bucket<Desc>,
  replicas: number,
): Promise<RecordStore<MessageShape<Desc>>> {
  const kv: KV = await jetstream.views.kv(name, { replicas, ttl: ttlMs, history: 1, storage: StorageType.File });
  const entryOf = (entry: KvEntry): Entry<MessageShape<Desc>> | undefined =>
    entry.operation === "PUT"
      ? { key: entry.key, value: fromBinary(schema, entry.value), revision: BigInt(entry.revision) }
      : undefined;
  return {
    async get(key) {
      const entry = await kv.get(key);
      return entry === null ? undefined : entryOf(entry);
    },
    async create(key, value) {
      try {
        return BigInt(await kv.create(key, toBinary(schema, value)));
      } catch (error) {
        throw isWrongRevision(error) ? new RecordExists(`${name}/${key} exists`, { cause: error }) : error;
      }
    },
    async update(key, value, revision) {
      try {
        return BigInt(await kv.update(key, toBinary(schema, value), Number(revision)));
      } catch (error) {
        throw isWrongRevision(error)
          ? new RevisionConflict(`${name}/${key} is not at revision ${revision}`, { cause: error })
          : error;
      }
    },
    async put(key, value) {
      return BigInt(await kv.put(key, toBinary(schema, value)));
    },
    async delete(key) {
      await kv.delete(key);
    },
    async watch(onChange) {
      let initialized: () => void = () => {};
      const ready = new Promise<void>((resolve) => {
        initialized = resolve;
      });
      // It is called when the last entry has arrived; by the next turn of the loop that has been handed over.
      const entries = await kv.watch({ initializedFn: () => setImmediate(() => initialized()) });
      const reading = (async () => {
        for await (const entry of entries) {
          onChange({ key: entry.key, entry: entryOf(entry) });
        }
      })();
      return {
        ready,
        async stop() {
          entries.stop();
          await reading;
        },
      };
    },
  };
}

function isWrongRevision(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.err_code === WRONG_LAST_SEQUENCE;
}
