import { DatabaseSync } from "node:sqlite";
import { type Usage, withSample } from "./domain/usage.js";

// The ledger: one row per session, kept for ever, in one SQLite file. What was committed survives a crash of the process
// and of the host (WAL with synchronous=FULL syncs the log at every commit).

/** Steps from one version of the schema to the next; PRAGMA user_version says how many were taken. */
const STEPS = [
  `CREATE TABLE session_usage (
    tenant TEXT NOT NULL,
    session TEXT NOT NULL,
    cpu_us INTEGER NOT NULL,
    peak_memory_bytes INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    start_time_ns INTEGER NOT NULL,
    sample_time_ns INTEGER NOT NULL,
    final INTEGER NOT NULL,
    PRIMARY KEY (tenant, session)
  ) STRICT, WITHOUT ROWID`,
];

/** A sample of one session's usage. */
export interface Recorded {
  readonly tenant: string;
  /** The id of the session. */
  readonly sessionId: string;
  readonly sample: Usage;
}

/** What sessions have used. */
export interface Ledger {
  /** Takes samples in, all or none; they are on disk when it returns. Twice is the same as once. */
  record(samples: readonly Recorded[]): void;
  /** What a session has used; `undefined` when no sample of it has come in. */
  usageOf(tenant: string, sessionId: string): Usage | undefined;
  close(): void;
}

interface Row {
  readonly cpu_us: bigint;
  readonly peak_memory_bytes: bigint;
  readonly wall_us: bigint;
  readonly start_time_ns: bigint;
  readonly sample_time_ns: bigint;
  readonly final: bigint;
}

/** Opens the ledger in a file, making it if it is missing. Throws when a newer version has written it. */
export function openLedger(file: string): Ledger {
  const database = new DatabaseSync(file, { readBigInts: true, timeout: 5_000 });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  migrate(database, file);
  const read = database.prepare("SELECT * FROM session_usage WHERE tenant = ? AND session = ?");
  const write = database.prepare("INSERT OR REPLACE INTO session_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

  function usageOf(tenant: string, sessionId: string): Usage | undefined {
    const row = read.get(tenant, sessionId) as Row | undefined;
    return row === undefined
      ? undefined
      : {
          cpuUs: row.cpu_us,
          peakMemoryBytes: row.peak_memory_bytes,
          wallUs: row.wall_us,
          startTimeNs: row.start_time_ns,
          sampleTimeNs: row.sample_time_ns,
          final: row.final === 1n,
        };
  }

  return {
    record(samples) {
      transaction(database, () => {
        for (const { tenant, sessionId, sample } of samples) {
          const usage = withSample(usageOf(tenant, sessionId), sample);
          write.run(
            tenant,
            sessionId,
            usage.cpuUs,
            usage.peakMemoryBytes,
            usage.wallUs,
            usage.startTimeNs,
            usage.sampleTimeNs,
            usage.final ? 1n : 0n,
          );
        }
      });
    },
    usageOf,
    close() {
      database.close();
    },
  };
}

function migrate(database: DatabaseSync, file: string): void {
  transaction(database, () => {
    const row = database.prepare("PRAGMA user_version").get();
    const version = Number(row?.["user_version"]);
    if (version > STEPS.length) {
      throw new Error(
        `${file} was written by a newer version (schema ${version}, this one knows ${STEPS.length}); run that version.`,
      );
    }
    for (const step of STEPS.slice(version)) {
      database.exec(step);
    }
    database.exec(`PRAGMA user_version = ${STEPS.length}`);
  });
}

function transaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) {
      database.exec("ROLLBACK");
    }
    throw error;
  }
}
