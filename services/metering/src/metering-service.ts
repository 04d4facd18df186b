import { type MeteringService, Refusal, sessionIdOf } from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { Ledger } from "./ledger.js";

/** codemesh.metering.v1.MeteringService. */
export function createMeteringService(ledger: Pick<Ledger, "usageOf">): ServiceImpl<typeof MeteringService> {
  return {
    getSessionUsage({ session }, context) {
      const usage = ledger.usageOf(callerOf(context).tenant, sessionIdOf("session", session));
      if (usage === undefined) {
        throw new Refusal(Code.NotFound, "USAGE_NOT_FOUND", `No usage of ${session} has come in.`, {
          metadata: { session },
        });
      }
      const { cpuUs, peakMemoryBytes, wallUs, startTimeNs, sampleTimeNs, final } = usage;
      return {
        usage: {
          session,
          cpuUs,
          peakMemoryBytes,
          wallUs,
          startTime: timestamp(startTimeNs),
          sampleTime: timestamp(sampleTimeNs),
          final,
        },
      };
    },
  };
}

function timestamp(timeNs: bigint): { seconds: bigint; nanos: number } {
  return { seconds: timeNs / 1_000_000_000n, nanos: Number(timeNs % 1_000_000_000n) };
}
