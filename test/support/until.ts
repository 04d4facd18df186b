import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;

/** Waits until a condition holds and returns what it yields; throws when it does not within a time, ms. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) {
      return value;
    }
    if (performance.now() >= deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms.`);
    }
    await sleep(POLL_MS);
  }
}
