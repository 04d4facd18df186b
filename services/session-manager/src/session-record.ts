import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  durationFromMs,
  EndReason,
  msFromDuration,
  type SessionRecord,
  SessionRecordSchema,
  SessionSchema,
  SessionState,
  sessionIdFromName,
  sessionName,
} from "@codemesh/api";
import { expireTimeMs, type Session } from "./domain/session.js";

/** The record of a session. Fields that only a newer version knows are taken over from the record before. */
export function recordFromSession(session: Session, before?: SessionRecord): SessionRecord {
  const record = create(SessionRecordSchema, {
    tenant: session.tenant,
    executor: session.executor,
    executorIncarnation: session.incarnation,
    session: {
      name: sessionName(session.id),
      state: session.state,
      timeout: durationFromMs(session.timeoutMs),
      labels: { ...session.labels },
      createTime: timestampFromMs(session.createTimeMs),
      expireTime: timestampFromMs(expireTimeMs(session)),
      ...("endTimeMs" in session ? { endTime: timestampFromMs(session.endTimeMs) } : {}),
      endReason: "endReason" in session ? session.endReason : EndReason.UNSPECIFIED,
    },
  });
  if (before?.$unknown !== undefined) {
    record.$unknown = before.$unknown;
  }
  if (before?.session?.$unknown !== undefined && record.session !== undefined) {
    record.session.$unknown = before.session.$unknown;
  }
  return record;
}

/** The session in a record; throws when it is in a state that this version does not know. */
export function sessionFromRecord(record: SessionRecord): Session {
  const shown = record.session ?? create(SessionSchema);
  const id = sessionIdFromName(shown.name);
  if (id === undefined || shown.timeout === undefined || shown.createTime === undefined) {
    throw new Error(`the record of ${JSON.stringify(shown.name)} is incomplete`);
  }
  const origin = {
    tenant: record.tenant,
    id,
    executor: record.executor,
    incarnation: record.executorIncarnation,
    labels: shown.labels,
    timeoutMs: msFromDuration(shown.timeout),
    createTimeMs: timestampMs(shown.createTime),
  };
  const { state, endReason } = shown;
  if (state === SessionState.CREATING || state === SessionState.READY) {
    return { ...origin, state };
  }
  if (endReason !== EndReason.UNSPECIFIED && state === SessionState.STOPPING) {
    return { ...origin, state, endReason };
  }
  if (endReason !== EndReason.UNSPECIFIED && state === SessionState.TERMINATED && shown.endTime !== undefined) {
    return { ...origin, state, endReason, endTimeMs: timestampMs(shown.endTime) };
  }
  throw new Error(`the record of ${shown.name} is in state ${state} with end reason ${endReason}`);
}
