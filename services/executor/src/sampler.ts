import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { sessionName, UsageSampleSchema } from "@codemesh/api";
import type { Bus } from "@codemesh/bus";
import type { Lease } from "./sandbox/lease.js";

const PERIOD_MS = 1_000;
/** Samples after executions come no closer than this, so that a thousand short ones cost no thousand samples. */
const SOON_MS = 200;

/** Tells what sessions use: once a second, soon after each execution, and last when their sandbox is removed. */
export class Sampler {
  readonly #bus: Pick<Bus, "publishUsage">;
  readonly #soon = new Map<Lease, NodeJS.Timeout>();
  #period: NodeJS.Timeout | undefined;

  constructor(bus: Pick<Bus, "publishUsage">) {
    this.#bus = bus;
  }

  /** Samples all of these every second, until `stop`. */
  start(leases: () => Iterable<Lease>): void {
    this.#period = setInterval(() => {
      for (const lease of leases()) {
        this.#sample(lease, false);
      }
    }, PERIOD_MS);
  }

  /** Samples one that has just done something. */
  soon(lease: Lease): void {
    if (!this.#soon.has(lease)) {
      this.#soon.set(
        lease,
        setTimeout(() => {
          this.#soon.delete(lease);
          this.#sample(lease, false);
        }, SOON_MS),
      );
    }
  }

  /** Samples one for the last time. */
  last(lease: Lease): void {
    clearTimeout(this.#soon.get(lease));
    this.#soon.delete(lease);
    this.#sample(lease, true);
  }

  stop(): void {
    clearInterval(this.#period);
    for (const timer of this.#soon.values()) {
      clearTimeout(timer);
    }
  }

  #sample(lease: Lease, final: boolean): void {
    if (lease.ending !== final) {
      return;
    }
    const { sequence, wallUs, cpuUs, peakMemoryBytes } = lease.count();
    void this.#bus.publishUsage(
      create(UsageSampleSchema, {
        tenant: lease.tenant,
        session: sessionName(lease.sessionId),
        sequence,
        startTime: timestampFromMs(lease.startTimeMs),
        sampleTime: timestampFromMs(Date.now()),
        wallUs,
        cpuUs,
        peakMemoryBytes,
        final,
      }),
    );
  }
}
