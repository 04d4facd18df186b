import { expect, test, vi } from "vitest";
import { type Poolable, WarmPool } from "./warm-pool.js";

class FakeSandbox implements Poolable {
  removed = false;
  die: (cause: string) => void = () => {};
  readonly died = new Promise<string>((resolve) => {
    this.die = resolve;
  });
  async remove(): Promise<void> {
    this.removed = true;
  }
}

function setUp(target: number, parallel = 2) {
  const making: { done: (made?: FakeSandbox) => void; fail: (error: Error) => void }[] = [];
  const failed = vi.fn();
  const pool = new WarmPool<FakeSandbox>({
    target: () => target,
    parallel,
    make: () =>
      new Promise((resolve, reject) => {
        making.push({ done: (made = new FakeSandbox()) => resolve(made), fail: reject });
      }),
    failed,
  });
  return { pool, making, failed };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("fills one at a time up to its target", async () => {
  const { pool, making } = setUp(2);
  pool.start();
  expect(making).toHaveLength(1);
  making[0]?.done();
  await settle();
  expect(making).toHaveLength(2);
  making[1]?.done();
  await settle();
  expect(pool.size).toBe(2);
  expect(making).toHaveLength(2);
});

test("hands out each sandbox once and makes another in its place", async () => {
  const { pool, making } = setUp(1);
  pool.start();
  making[0]?.done();
  await settle();
  expect(pool.claim()).toBeDefined();
  expect(pool.claim()).toBeUndefined();
  await settle();
  expect(making).toHaveLength(2);
});

test("gives what is made first to whoever has waited longest, also what was meant for the pool", async () => {
  const { pool, making } = setUp(1);
  pool.start();
  const first = pool.next();
  const second = pool.next();
  expect(making).toHaveLength(2);
  const made = new FakeSandbox();
  making[0]?.done(made);
  expect(await first).toBe(made);
  making[1]?.done();
  await second;
  await settle();
  expect(pool.size).toBe(0);
  expect(making).toHaveLength(3);
});

test("tells the one who waits when its sandbox could not be made", async () => {
  const { pool, making } = setUp(0);
  const waiting = pool.next();
  making[0]?.fail(new Error("no space"));
  await expect(waiting).rejects.toThrow("no space");
});

test("rests after a failure nobody waited for", async () => {
  const { pool, making, failed } = setUp(1);
  pool.start();
  making[0]?.fail(new Error("no space"));
  await settle();
  expect(failed).toHaveBeenCalledOnce();
  expect(making).toHaveLength(1);
  await pool.stop();
});

test("replaces a sandbox that dies while it waits", async () => {
  const { pool, making } = setUp(1);
  pool.start();
  const doomed = new FakeSandbox();
  making[0]?.done(doomed);
  await settle();
  doomed.die("killed");
  await settle();
  expect(doomed.removed).toBe(true);
  expect(pool.size).toBe(0);
  expect(making).toHaveLength(2);
});

test("removes what is left when it stops, and what was still being made", async () => {
  const { pool, making } = setUp(2);
  pool.start();
  const warm = new FakeSandbox();
  making[0]?.done(warm);
  await settle();
  const stopped = pool.stop();
  const late = new FakeSandbox();
  making[1]?.done(late);
  await stopped;
  expect([warm.removed, late.removed]).toEqual([true, true]);
  await expect(pool.next()).rejects.toThrow("stopped");
});
