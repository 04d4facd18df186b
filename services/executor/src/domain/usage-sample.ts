// What a session has used, from readings of its sandbox's cgroup.
//
//   U1. Counters never fall, and sequence numbers rise by one.
//   U2. What the sandbox burned before the session got it is not charged to the session.
//   U3. Peak memory is the sandbox's own high-water mark: what it holds from before, the session holds too.

/** Cumulative counters of a sandbox, read by the host. */
export interface Reading {
  /** CPU time, µs. */
  readonly cpuUs: bigint;
  /** The most memory held at once so far, bytes. */
  readonly peakMemoryBytes: bigint;
  /** How many processes the kernel has killed for memory so far. */
  readonly oomKills: number;
}

/** A session's usage as last counted. */
export interface Usage {
  /** 0 before the first sample. */
  readonly sequence: bigint;
  /** Since the session got its sandbox, by a clock that never jumps, µs. */
  readonly wallUs: bigint;
  /** Since the session got its sandbox, µs. */
  readonly cpuUs: bigint;
  /** The most the sandbox has held at once, bytes. */
  readonly peakMemoryBytes: bigint;
}

/** Where a session's counters begin. */
export interface Baseline {
  /** The sandbox's CPU time when the session got it, µs. */
  readonly cpuUs: bigint;
  /** The time then, by a clock that never jumps, µs. */
  readonly timeUs: bigint;
}

/** Before anything was counted. */
export const noUsage: Usage = { sequence: 0n, wallUs: 0n, cpuUs: 0n, peakMemoryBytes: 0n };

/** The next sample after `last`. */
export function nextUsage(last: Usage, baseline: Baseline, reading: Reading, timeUs: bigint): Usage {
  return {
    sequence: last.sequence + 1n,
    wallUs: larger(last.wallUs, timeUs - baseline.timeUs),
    cpuUs: larger(last.cpuUs, reading.cpuUs - baseline.cpuUs), // U2
    peakMemoryBytes: larger(last.peakMemoryBytes, reading.peakMemoryBytes), // U3
  };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b; // U1
}
