import { randomFillSync } from "node:crypto";
import { ulid } from "ulid";

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A new ULID. Its chance is drawn from the system in bulk: sixteen draws of a byte cost more than the execution's frames. */
export function newExecutionId(): string {
  return ulid(undefined, chance);
}

/** A number from 0 to 1 in steps of 1/256, of which a ULID uses 1/32. */
function chance(): number {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] as number) / 256;
}
