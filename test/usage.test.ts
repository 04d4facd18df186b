import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { SessionUsage } from "@codemesh/api";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { clients } from "./support/clients.js";
import { containerOf, peakMemoryBytesOf } from "./support/containers.js";
import { run } from "./support/executions.js";
import { openSession } from "./support/sessions.js";
import { until } from "./support/until.js";

describe("the usage of a session", () => {
  it("is 2.7 to 3.5 CPU seconds after a busy loop of 3 s, in the receipt and in the meter", async () => {
    await using session = await openSession();
    await run(session.name, "1");
    const before = await usageAfter(session.name, Date.now());

    const { finished } = await run(
      session.name,
      "import time\nend = time.process_time() + 3\nwhile time.process_time() < end: pass",
    );
    const usage = await usageAfter(session.name, Date.now());

    expect(secondsOf(finished.usage?.cpuUs)).toBeGreaterThanOrEqual(2.7);
    expect(secondsOf(finished.usage?.cpuUs)).toBeLessThanOrEqual(3.5);
    expect(secondsOf(usage.cpuUs - before.cpuUs)).toBeGreaterThanOrEqual(2.7);
    expect(secondsOf(usage.cpuUs - before.cpuUs)).toBeLessThanOrEqual(3.5);
  });

  it("has the peak memory that the kernel counted, within 10 %", async () => {
    await using session = await openSession();
    const container = await containerOf(session.name);

    const { finished } = await run(session.name, 'held = b"x" * (300 << 20)\ndel held');
    const peakBytes = peakMemoryBytesOf(container);
    const usage = await usageAfter(session.name, Date.now());

    expect(peakBytes).toBeGreaterThan(300 << 20);
    expect(Math.abs(Number(usage.peakMemoryBytes) - peakBytes)).toBeLessThan(0.1 * peakBytes);
    expect(Math.abs(Number(finished.usage?.peakMemoryBytes) - peakBytes)).toBeLessThan(0.1 * peakBytes);
  });

  it("does not grow by CPU time while the session idles", async () => {
    await using session = await openSession();
    await run(session.name, "1");
    const before = await usageAfter(session.name, Date.now());
    const after = await usageAfter(session.name, Date.now() + 2_000);

    expect(Number(after.wallUs - before.wallUs)).toBeGreaterThan(1_000_000);
    expect(secondsOf(after.cpuUs - before.cpuUs)).toBeLessThan(0.2);
  });

  it("is final once the session has ended", async () => {
    const session = await openSession();
    await run(session.name, "1");
    await session[Symbol.asyncDispose]();

    const usage = await until("the last sample is in", async () => {
      const usage = await usageOf(session.name).catch(nothingYet);
      return usage?.final && usage;
    });

    expect(Number(usage.cpuUs)).toBeGreaterThan(0);
  });
});

async function usageOf(session: string): Promise<SessionUsage> {
  const { usage } = await clients().metering.getSessionUsage({ session });
  if (usage === undefined) {
    throw new Error("GetSessionUsage returned no usage.");
  }
  return usage;
}

/** The usage up to a sample taken at or after a time, ms since the epoch. */
function usageAfter(session: string, timeMs: number): Promise<SessionUsage> {
  return until("a later sample is in", async () => {
    const usage = await usageOf(session).catch(nothingYet);
    return usage?.sampleTime !== undefined && timestampMs(usage.sampleTime) >= timeMs && usage;
  });
}

/** A session that has just begun has no sample yet. */
function nothingYet(error: unknown): undefined {
  if (!(error instanceof ConnectError && error.code === Code.NotFound)) {
    throw error;
  }
}

function secondsOf(us: bigint | undefined): number {
  return Number(us) / 1_000_000;
}
