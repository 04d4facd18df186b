// Host user ids for sandboxes. One that was used rests until the whole range has been used, so that a stray process or
// file of an ended session meets no other session's.

export interface UidRange {
  readonly base: number;
  readonly count: number;
}

/** The first free id at or after `from`, round the range; `undefined` when all are taken. */
export function nextUid(range: UidRange, from: number, taken: ReadonlySet<number>): number | undefined {
  for (let step = 0; step < range.count; step++) {
    const uid = range.base + ((from - range.base + step) % range.count);
    if (!taken.has(uid)) {
      return uid;
    }
  }
  return undefined;
}
