import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { sessionIdFromName, type UsageSample } from "@codemesh/api";
import type { Bus, Consumption } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";
import type { Ledger, Recorded } from "./ledger.js";

const DURABLE = "metering";

/** Takes every usage sample into the ledger. A sample is acknowledged once it is on disk, and comes again until then. */
export function consumeUsage(bus: Bus, ledger: Pick<Ledger, "record">, logger: Logger): Promise<Consumption> {
  return bus.consume({
    stream: "USAGE",
    durable: DURABLE,
    async handler(sample: UsageSample) {
      const recorded = recordedFromSample(sample);
      if (recorded === undefined) {
        logger.error({ tenant: sample.tenant, session: sample.session }, "a usage sample is not whole; left out");
        return;
      }
      ledger.record([recorded]);
    },
  });
}

/** What the ledger keeps of a sample, or `undefined` when it misses what a sample must have. */
export function recordedFromSample(sample: UsageSample): Recorded | undefined {
  const { tenant, cpuUs, peakMemoryBytes, wallUs, startTime, sampleTime, final } = sample;
  const sessionId = sessionIdFromName(sample.session);
  if (tenant === "" || sessionId === undefined || startTime === undefined || sampleTime === undefined) {
    return undefined;
  }
  return {
    tenant,
    sessionId,
    sample: {
      cpuUs,
      peakMemoryBytes,
      wallUs,
      startTimeNs: nanoseconds(startTime),
      sampleTimeNs: nanoseconds(sampleTime),
      final,
    },
  };
}

function nanoseconds(time: Timestamp): bigint {
  return time.seconds * 1_000_000_000n + BigInt(time.nanos);
}
