import { timestampMs } from "@bufbuild/protobuf/wkt";
import { EndReason, invalidArgument, type SandboxService, sessionIdOf } from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Sandboxes } from "./sandbox/sandboxes.js";

/** Gives sessions their sandboxes and takes them back. */
export function createSandboxService(sandboxes: Sandboxes): ServiceImpl<typeof SandboxService> {
  return {
    async createSandbox({ session, expireTime, environment }, context) {
      const sessionId = sessionIdOf("session", session);
      if (expireTime === undefined) {
        throw invalidArgument([
          { field: "expire_time", reason: "EXPIRE_TIME_MISSING", description: "Must say when the sandbox ends." },
        ]);
      }
      const { tenant } = callerOf(context);
      const lease = await sandboxes.create({ tenant, sessionId, expireTimeMs: timestampMs(expireTime), environment });
      return { warm: lease.warm };
    },
    async removeSandbox({ session }, context) {
      const sessionId = sessionIdOf("session", session);
      await sandboxes.end({ tenant: callerOf(context).tenant, sessionId }, EndReason.REQUESTED);
      return {};
    },
  };
}
