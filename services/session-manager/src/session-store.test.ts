import { EndReason, type LifecycleEvent, type SessionRecord, SessionState } from "@codemesh/api";
import { type Bus, type Entry, type RecordChange, RevisionConflict } from "@codemesh/bus";
import { createLogger } from "@codemesh/service-kit";
import { expect, test } from "vitest";
import { creating, started, stopping, terminated } from "./domain/session.js";
import { openSessionStore } from "./session-store.js";

const ID = "01K0000000000000000000000A";
const fresh = creating({
  tenant: "acme",
  id: ID,
  executor: "e1",
  incarnation: "i1",
  labels: {},
  timeoutMs: 1_000,
  createTimeMs: 1_000,
});
const logger = createLogger({ service: "test", level: "silent" });

/** A bucket as NATS keeps it, and replicas whose watches hear of changes only when they are told. */
function createBucket() {
  const entries = new Map<string, Entry<SessionRecord>>();
  const events: LifecycleEvent[] = [];
  let revision = 0n;
  let connected = true;
  const put = (key: string, value: SessionRecord) => {
    revision += 1n;
    entries.set(key, { key, value, revision });
    return revision;
  };
  const records = {
    get: async (key: string) => entries.get(key),
    create: async (key: string, value: SessionRecord) => put(key, value),
    update: async (key: string, value: SessionRecord, expected: bigint) => {
      if (entries.get(key)?.revision !== expected) {
        throw new RevisionConflict("not the latest");
      }
      return put(key, value);
    },
  };
  return {
    events,
    disconnect() {
      connected = false;
    },
    async openReplica() {
      let tell: (change: RecordChange<SessionRecord>) => void = () => {};
      const watch = async (onChange: typeof tell) => {
        tell = onChange;
        return { ready: Promise.resolve(), stop: async () => {} };
      };
      const bus = {
        records: async () => ({ ...records, watch }),
        connected: () => connected,
        publishLifecycle: async (event: LifecycleEvent) => {
          events.push(event);
        },
      };
      const store = await openSessionStore(bus as unknown as Bus, () => 5_000, logger);
      const catchUp = () => entries.forEach((entry) => void tell({ key: entry.key, entry }));
      return { store, catchUp };
    },
  };
}

test("shows its own writes at once, before the watch brings them", async () => {
  const { store } = await createBucket().openReplica();
  await store.create(fresh);
  await store.change("acme", ID, started);
  const { records } = store.index.page("acme", { size: 10, after: "", states: new Set() });
  expect(records.map((record) => record.session?.state)).toEqual([SessionState.READY]);
});

test("lets one of two replicas end a session, and both agree on the reason", async () => {
  const bucket = createBucket();
  const one = await bucket.openReplica();
  const other = await bucket.openReplica();
  await one.store.create(fresh);
  other.catchUp();
  const [first, second] = await Promise.all([
    one.store.change("acme", ID, (session) => stopping(session, EndReason.REQUESTED)),
    other.store.change("acme", ID, (session) => stopping(session, EndReason.EXPIRED)),
  ]);
  expect(first?.record).toEqual(second?.record);
  await other.store.change("acme", ID, (session) => terminated(session, EndReason.EXECUTOR_LOST, 6_000));
  one.catchUp();
  expect((await one.store.get("acme", ID))?.session).toMatchObject({
    state: SessionState.TERMINATED,
    endReason: EndReason.REQUESTED,
  });
  expect(bucket.events.map((event) => event.session?.state)).toEqual([
    SessionState.CREATING,
    SessionState.STOPPING,
    SessionState.TERMINATED,
  ]);
});

test("writes nothing for a transition that does not apply", async () => {
  const bucket = createBucket();
  const { store } = await bucket.openReplica();
  await store.create(fresh);
  await store.change("acme", ID, (session) => terminated(session, EndReason.EXPIRED, 6_000));
  await store.change("acme", ID, started);
  expect(bucket.events).toHaveLength(2);
});

test("knows no session of another tenant", async () => {
  const { store } = await createBucket().openReplica();
  await store.create(fresh);
  expect(await store.get("other", ID)).toBeUndefined();
  expect(await store.change("other", ID, started)).toBeUndefined();
});

test("refuses at once while NATS is away", async () => {
  const bucket = createBucket();
  const { store } = await bucket.openReplica();
  bucket.disconnect();
  await expect(store.create(fresh)).rejects.toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
});
