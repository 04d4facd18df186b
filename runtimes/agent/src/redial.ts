/** The wait before the second dial, ms. */
export const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/** The wait after one of `waitMs`: twice as long, at most a second. */
export function nextWaitMs(waitMs: number): number {
  return Math.min(LONGEST_WAIT_MS, waitMs * 2);
}

/** A wait between half and one and a half of `waitMs`, so that many agents do not dial at once; `chance` is 0 to 1. */
export function waitWithJitterMs(waitMs: number, chance: number): number {
  return waitMs * (0.5 + chance);
}
