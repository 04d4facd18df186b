// Whose turn it is in an interpreter: one runs, up to 16 wait, first come first served.
//
//   T1. At most one runs.
//   T2. Nobody waits while nobody runs.
//   T3. At most MAX_WAITING wait.

/** How many may wait for one interpreter. */
export const MAX_WAITING = 16;
/** What to tell one who may not wait, ms. */
export const TOO_MANY_WAITING_RETRY_MS = 1_000;

export interface Turns<T> {
  readonly running: T | undefined;
  readonly waiting: readonly T[];
}

/** Nobody runs, nobody waits. */
export function noTurns<T>(): Turns<T> {
  return { running: undefined, waiting: [] };
}

/** Lets one in: it runs at once, waits, or may not. */
export function enter<T>(turns: Turns<T>, one: T): { readonly admitted: boolean; readonly turns: Turns<T> } {
  if (turns.running === undefined) {
    return { admitted: true, turns: { running: one, waiting: turns.waiting } };
  }
  return turns.waiting.length < MAX_WAITING
    ? { admitted: true, turns: { running: turns.running, waiting: [...turns.waiting, one] } }
    : { admitted: false, turns };
}

/** Lets one out, wherever it is; the next in line runs. */
export function leave<T>(turns: Turns<T>, one: T): Turns<T> {
  if (turns.running === one) {
    return { running: turns.waiting[0], waiting: turns.waiting.slice(1) }; // T2
  }
  return { running: turns.running, waiting: turns.waiting.filter((other) => other !== one) };
}
