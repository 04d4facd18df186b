import type { SessionService } from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import type { ServiceImpl } from "@connectrpc/connect";
import { createSession } from "./create-session.js";
import { pageOrder } from "./domain/page.js";
import { getSession } from "./get-session.js";
import type { Parts } from "./parts.js";
import { stopSession } from "./stop-session.js";

/** codemesh.session.v1.SessionService; its calls wait until what was there at the start is known. */
export function createSessionService(parts: Parts): ServiceImpl<typeof SessionService> {
  const ready = Promise.all([parts.store.ready, parts.registry.ready]);
  return {
    async createSession(request, context) {
      await ready;
      return { session: await createSession(parts, request, context) };
    },
    async getSession({ name }, context) {
      return { session: await getSession(parts, name, context) };
    },
    async listSessions(request, context) {
      await ready;
      const order = pageOrder(request);
      const { records, nextToken } = parts.store.index.page(callerOf(context).tenant, order);
      return { sessions: records.flatMap((record) => record.session ?? []), nextPageToken: nextToken };
    },
    async stopSession({ name }, context) {
      await ready;
      return { session: await stopSession(parts, name, context) };
    },
  };
}
