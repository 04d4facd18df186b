import type { RecordStore } from "@codemesh/bus";

/** A bucket kept in memory by a watch: what is there now, by key. */
export interface Mirror<M> {
  readonly records: ReadonlyMap<string, M>;
  stop(): Promise<void>;
}

/** Mirrors a bucket; settles when everything that was there has arrived. */
export async function mirror<M>(store: RecordStore<M>): Promise<Mirror<M>> {
  const records = new Map<string, M>();
  const watch = await store.watch(({ key, entry }) => {
    if (entry === undefined) {
      records.delete(key);
    } else {
      records.set(key, entry.value);
    }
  });
  await watch.ready;
  return { records, stop: () => watch.stop() };
}
