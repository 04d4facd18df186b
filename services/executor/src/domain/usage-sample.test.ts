import fc from "fast-check";
import { expect, test } from "vitest";
import { nextUsage, noUsage, type Reading } from "./usage-sample.js";

const reading = (cpuUs: bigint, peakMemoryBytes: bigint): Reading => ({ cpuUs, peakMemoryBytes, oomKills: 0 });

test("does not charge what the warm sandbox burned before it was claimed", () => {
  const usage = nextUsage(noUsage, { cpuUs: 1_200_000n, timeUs: 50n }, reading(1_250_000n, 90n << 20n), 1_000_050n);
  expect(usage).toEqual({ sequence: 1n, wallUs: 1_000_000n, cpuUs: 50_000n, peakMemoryBytes: 90n << 20n });
});

test("counters never fall and sequence numbers have no gap, whatever is read (U1)", () => {
  const any = fc.tuple(fc.bigInt(0n, 1n << 60n), fc.bigInt(0n, 1n << 60n), fc.bigInt(0n, 1n << 60n));
  fc.assert(
    fc.property(any, fc.array(any, { maxLength: 50 }), ([cpuUs, , timeUs], readings) => {
      let last = noUsage;
      for (const [cpu, peak, now] of readings) {
        const next = nextUsage(last, { cpuUs, timeUs }, reading(cpu, peak), now);
        expect(next.sequence).toBe(last.sequence + 1n);
        expect(next.wallUs >= last.wallUs).toBe(true);
        expect(next.cpuUs >= last.cpuUs).toBe(true);
        expect(next.peakMemoryBytes >= last.peakMemoryBytes).toBe(true);
        last = next;
      }
    }),
  );
});
