import { type SessionRecord, SessionState, sessionIdFromName } from "@codemesh/api";
import { type Entry, sessionKey } from "@codemesh/bus";
import { type Page, type PageOrder, pageOf, positionAfter } from "./domain/page.js";

// What this replica knows of all sessions, in memory. It is fed by a watch and by this replica's own writes, whichever
// brings a change first; a revision never goes back.

/** All sessions, by tenant and by executor. */
export interface SessionIndex {
  /** Takes a record in, unless a later revision of it is there. */
  apply(entry: Entry<SessionRecord>): void;
  remove(key: string): void;
  get(key: string): Entry<SessionRecord> | undefined;
  /** A page of a tenant's sessions, in the order of their ids. */
  page(tenant: string, order: PageOrder): { readonly records: readonly SessionRecord[]; readonly nextToken: string };
  /** The keys of all sessions that are not TERMINATED. */
  liveKeys(): readonly string[];
  /** How many sessions an incarnation of an executor holds. */
  heldBy(executor: string, incarnation: string): number;
  /** Drops what ended before this time, Unix ms; the bucket drops it by itself and tells nobody. */
  forgetEndedBefore(timeMs: number): void;
}

export function createSessionIndex(): SessionIndex {
  const entries = new Map<string, Entry<SessionRecord>>();
  const idsByTenant = new Map<string, string[]>();
  const live = new Set<string>();
  const held = new Map<string, number>();

  function count(record: SessionRecord, by: 1 | -1): void {
    const holder = holderKey(record.executor, record.executorIncarnation);
    const sum = (held.get(holder) ?? 0) + by;
    if (sum === 0) {
      held.delete(holder);
    } else {
      held.set(holder, sum);
    }
  }

  function setLive(entry: Entry<SessionRecord>, isLive: boolean): void {
    if (isLive !== live.has(entry.key)) {
      count(entry.value, isLive ? 1 : -1);
    }
    if (isLive) {
      live.add(entry.key);
    } else {
      live.delete(entry.key);
    }
  }

  function remove(key: string): void {
    const entry = entries.get(key);
    const id = entry && idOf(entry.value);
    const ids = entry && idsByTenant.get(entry.value.tenant);
    if (entry === undefined || id === undefined || ids === undefined) {
      return;
    }
    setLive(entry, false);
    entries.delete(key);
    ids.splice(positionAfter(ids, id) - 1, 1);
    if (ids.length === 0) {
      idsByTenant.delete(entry.value.tenant);
    }
  }

  return {
    apply(entry) {
      const id = idOf(entry.value);
      const known = entries.get(entry.key);
      if (id === undefined || (known !== undefined && known.revision >= entry.revision)) {
        return;
      }
      entries.set(entry.key, entry);
      setLive(entry, entry.value.session?.state !== SessionState.TERMINATED);
      if (known === undefined) {
        const ids = idsByTenant.get(entry.value.tenant) ?? [];
        ids.splice(positionAfter(ids, id), 0, id);
        idsByTenant.set(entry.value.tenant, ids);
      }
    },
    remove,
    get: (key) => entries.get(key),
    page(tenant, order) {
      const recordOf = (id: string) => (entries.get(sessionKey(tenant, id)) as Entry<SessionRecord>).value;
      const stateOf = (id: string) => recordOf(id).session?.state ?? SessionState.UNSPECIFIED;
      const page: Page = pageOf(idsByTenant.get(tenant) ?? [], order, stateOf);
      return { records: page.ids.map(recordOf), nextToken: page.nextToken };
    },
    liveKeys: () => [...live],
    heldBy: (executor, incarnation) => held.get(holderKey(executor, incarnation)) ?? 0,
    forgetEndedBefore(timeMs) {
      for (const [key, entry] of entries) {
        const endTime = entry.value.session?.endTime;
        if (endTime !== undefined && Number(endTime.seconds) * 1000 < timeMs) {
          remove(key);
        }
      }
    },
  };
}

function idOf(record: SessionRecord): string | undefined {
  return sessionIdFromName(record.session?.name ?? "");
}

function holderKey(executor: string, incarnation: string): string {
  return `${executor}\n${incarnation}`;
}
