import fc from "fast-check";
import { expect, test } from "vitest";
import { type Usage, withSample } from "./usage.js";

const counter = fc.bigInt(0n, (1n << 63n) - 1n);
const anySample = fc.record<Usage>({
  cpuUs: counter,
  peakMemoryBytes: counter,
  wallUs: counter,
  startTimeNs: counter,
  sampleTimeNs: counter,
  final: fc.boolean(),
});

function folded(samples: readonly Usage[]): Usage | undefined {
  return samples.reduce<Usage | undefined>(withSample, undefined);
}

test("is the same in whatever order and however often samples come (U1)", () => {
  const deliveries = fc
    .array(anySample, { minLength: 1, maxLength: 20 })
    .chain((samples) =>
      fc.tuple(fc.constant(samples), fc.shuffledSubarray([...samples, ...samples], { minLength: samples.length * 2 })),
    );
  fc.assert(
    fc.property(deliveries, ([samples, delivered]) => {
      expect(folded(delivered)).toEqual(folded(samples));
    }),
  );
});

test("loses nothing with a lost sample that a later one brings", () => {
  const samples = [1n, 2n, 3n, 4n].map((n) => ({
    cpuUs: n * 900_000n,
    peakMemoryBytes: 64n << 20n,
    wallUs: n * 1_000_000n,
    startTimeNs: 10n,
    sampleTimeNs: 10n + n,
    final: n === 4n,
  }));
  expect(folded(samples.filter((_, index) => index !== 2))).toEqual(folded(samples));
  expect(folded(samples)).toEqual(samples[3]);
});

test("stays final when a sample comes late (U2)", () => {
  fc.assert(
    fc.property(anySample, anySample, (last, late) => {
      expect(folded([{ ...last, final: true }, late])?.final).toBe(true);
    }),
  );
});
