import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exists } from "./files.js";
import { withLock } from "./lock.js";
import { silentProgress } from "./progress.js";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(directory, "lock");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("work under one lock is done one after the other", async () => {
  const order: string[] = [];
  const work = (name: string) =>
    withLock(path, silentProgress, async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 30));
      order.push(`${name} ends`);
    });
  await Promise.all([work("a"), work("b")]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("the lock is free again when the work failed", async () => {
  const work = withLock(path, silentProgress, () => Promise.reject(new Error("no")));
  await expect(work).rejects.toThrow("no");
  expect(exists(path)).toBe(false);
});

test("a lock whose holder has ended is taken, also when its pid is somebody else's now", async () => {
  for (const holder of ["4194304 5\n", `${process.pid} 1\n`]) {
    writeFileSync(path, holder);
    expect(await withLock(path, silentProgress, async () => "done")).toBe("done");
  }
});
