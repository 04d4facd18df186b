// Which executor gets the next sandbox: one that is there, takes sandboxes and has room; first where one stands warm, then
// where there is most room.

/** An executor that has said nothing for this long is gone, ms. */
export const SILENCE_LIMIT_MS = 10_000;

/** An executor as placement sees it. */
export interface Candidate {
  readonly id: string;
  /** When it was last heard, ms. */
  readonly heardTimeMs: number;
  readonly draining: boolean;
  /** How many sandboxes it holds at most. */
  readonly capacity: number;
  /** How many sessions it holds or is about to hold. */
  readonly held: number;
  /** How many warm sandboxes it should still have. */
  readonly warm: number;
}

/** Whether an executor has been heard lately. */
export function isFresh(heardTimeMs: number, nowMs: number): boolean {
  return nowMs - heardTimeMs <= SILENCE_LIMIT_MS;
}

/** The best executor for one more sandbox that was not tried before, or `undefined` when none can take it. */
export function place<C extends Candidate>(
  candidates: Iterable<C>,
  tried: ReadonlySet<string>,
  nowMs: number,
): C | undefined {
  let best: C | undefined;
  for (const candidate of candidates) {
    if (!tried.has(candidate.id) && canTake(candidate, nowMs) && (best === undefined || isBetter(candidate, best))) {
      best = candidate;
    }
  }
  return best;
}

function canTake(candidate: Candidate, nowMs: number): boolean {
  return !candidate.draining && isFresh(candidate.heardTimeMs, nowMs) && room(candidate) > 0;
}

function isBetter(one: Candidate, other: Candidate): boolean {
  const warmFirst = Number(one.warm > 0) - Number(other.warm > 0);
  const roomFirst = room(one) - room(other);
  return warmFirst !== 0 ? warmFirst > 0 : roomFirst !== 0 ? roomFirst > 0 : one.id < other.id;
}

function room(candidate: Candidate): number {
  return candidate.capacity - candidate.held;
}
