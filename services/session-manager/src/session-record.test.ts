import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { EndReason, SessionRecordSchema } from "@codemesh/api";
import { expect, test } from "vitest";
import { creating, started, stopping, terminated } from "./domain/session.js";
import { recordFromSession, sessionFromRecord } from "./session-record.js";

const fresh = creating({
  tenant: "acme",
  id: "01K0000000000000000000000A",
  executor: "e1",
  incarnation: "i1",
  labels: { team: "blue" },
  timeoutMs: 1_500,
  createTimeMs: 1_700_000_000_123,
});

test("brings a session back as it was, in every state", () => {
  const ready = started(fresh);
  const ending = stopping(ready, EndReason.EXPIRED);
  for (const session of [fresh, ready, ending, terminated(ending, EndReason.REQUESTED, 1_700_000_001_456)]) {
    const bytes = toBinary(SessionRecordSchema, recordFromSession(session));
    expect(sessionFromRecord(fromBinary(SessionRecordSchema, bytes))).toEqual(session);
  }
});

test("keeps the fields that a newer version wrote", () => {
  // Field 900 of the record and of the session in it, varint 1.
  const field = (bytes: number[]) => [...bytes, 0xa0, 0x38, 0x01];
  const session = field([...toBinary(SessionRecordSchema, recordFromSession(fresh))]);
  const before = fromBinary(SessionRecordSchema, new Uint8Array(session));
  expect(before.$unknown).toHaveLength(1);
  const after = toBinary(SessionRecordSchema, recordFromSession(started(fresh), before));
  expect(fromBinary(SessionRecordSchema, after).$unknown).toEqual(before.$unknown);
});
