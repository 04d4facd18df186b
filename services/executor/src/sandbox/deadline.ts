/** The longest delay a timer takes; longer ones fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Does something once `delayMs` have passed by the clock that never jumps, however long that is; the result takes it
 * back.
 */
export function onDeadline(delayMs: number, action: () => void): () => void {
  const dueMs = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const leftMs = dueMs - performance.now();
    timer = leftMs <= 0 ? setTimeout(action, 0) : setTimeout(arm, Math.min(leftMs, MAX_DELAY_MS));
  };
  arm();
  return () => clearTimeout(timer);
}
