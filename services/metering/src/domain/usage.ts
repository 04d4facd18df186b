// What a session has used, folded from samples.
//
//   U1. Counters are cumulative and only grow, so usage is the greatest of each: samples may come in any order and any
//       number of times, and a lost one loses nothing that a later one does not bring.
//   U2. Usage that has had the session's last sample is final, whatever comes late.

/** What a session has used so far, or had used when a sample was taken. */
export interface Usage {
  /** CPU time burned, µs. */
  readonly cpuUs: bigint;
  /** The most memory held at once, bytes. */
  readonly peakMemoryBytes: bigint;
  /** From the session's getting its sandbox to the latest sample, µs. */
  readonly wallUs: bigint;
  /** When the session got its sandbox, Unix time, ns. */
  readonly startTimeNs: bigint;
  /** When the latest sample was taken, Unix time, ns. */
  readonly sampleTimeNs: bigint;
  /** Whether the session's last sample is in it. */
  readonly final: boolean;
}

/** Usage with one more sample in it. */
export function withSample(usage: Usage | undefined, sample: Usage): Usage {
  if (usage === undefined) {
    return sample;
  }
  return {
    cpuUs: greater(usage.cpuUs, sample.cpuUs), // U1
    peakMemoryBytes: greater(usage.peakMemoryBytes, sample.peakMemoryBytes),
    wallUs: greater(usage.wallUs, sample.wallUs),
    startTimeNs: lesser(usage.startTimeNs, sample.startTimeNs),
    sampleTimeNs: greater(usage.sampleTimeNs, sample.sampleTimeNs),
    final: usage.final || sample.final, // U2
  };
}

function greater(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function lesser(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
