import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { createProgress } from "./progress.js";

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 60, write: (text: string) => written.push(text), written };
}

test("a quick step says nothing", async () => {
  for (const isTTY of [true, false]) {
    const output = screen(isTTY);
    expect(await createProgress(output).step("Starting", async () => 7)).toBe(7);
    expect(output.written).toEqual([]);
  }
});

test("a slow step says in plain lines what it is at, and how long it took", async () => {
  vi.useFakeTimers();
  try {
    const output = screen(false);
    const step = createProgress(output).step("Starting", async (detail) => {
      detail("waiting for\n the engine");
      await new Promise((resolve) => setTimeout(resolve, 20_000));
    });
    await vi.advanceTimersByTimeAsync(20_000);
    await step;
    expect(output.written).toEqual([
      "… Starting: waiting for the engine\n",
      "… Starting, still at it after 15.0 s: waiting for the engine\n",
      "✓ Starting, 20.0 s\n",
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test("on a terminal a slow step is one line that is erased, then one that stays", async () => {
  const output = screen(true);
  await createProgress(output).step("Starting", () => sleep(1_050));
  const lines = output.written.filter((text) => text.includes("Starting, "));
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.slice(0, -1).every((text) => text.startsWith("\r\x1b[K") && !text.endsWith("\n"))).toBe(true);
  expect(lines.at(-1)).toMatch(/^✓ Starting, 1\.\d s\n$/);
});

test("a failed step is marked as failed and its error is the caller's", async () => {
  const output = screen(false);
  const step = createProgress(output).step("Starting", () => Promise.reject(new Error("no\nmore")));
  await expect(step).rejects.toThrow("no");
  expect(output.written.join("")).toMatch(/^✗ Starting, 0\.0 s: no\n$/);
});
