/** What many measurements of one thing come to. */
export interface Summary {
  readonly median: number;
  readonly p99: number;
  /** How many there were. */
  readonly n: number;
}

/** Median and 99th percentile (nearest rank: a value that was measured). `worst` says which end the 1 % is at. */
export function summaryOf(values: readonly number[], worst: "highest" | "lowest" = "highest"): Summary {
  if (values.length === 0) {
    throw new Error("Nothing was measured.");
  }
  const sorted = values.toSorted((a, b) => (worst === "highest" ? a - b : b - a));
  const ranked = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? ranked(0.5) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { median, p99: ranked(0.99), n: sorted.length };
}

/** How long a piece of work takes, ms. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** The same measurement, a number of times, one after the other. */
export async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let count = 0; count < times; count++) {
    values.push(await measure());
  }
  return values;
}
