import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ApiKeyRecord, Refusal } from "@codemesh/api";
import { parseApiKey } from "@codemesh/bus";
import { Code } from "@connectrpc/connect";

/** Whose call it is. */
export interface Principal {
  readonly tenant: string;
  readonly keyId: string;
}

/** The record of a key id, from memory. */
export type FindApiKey = (id: string) => ApiKeyRecord | undefined;

/**
 * Whose API key a call carries. Refuses with `UNAUTHENTICATED` / `API_KEY_MISSING`, `API_KEY_INVALID` (unknown and wrong
 * keys alike) or `API_KEY_EXPIRED`.
 */
export function authenticate(headers: IncomingHttpHeaders, findApiKey: FindApiKey, nowMs: number): Principal {
  const text = keyText(headers);
  if (text === undefined) {
    throw new Refusal(
      Code.Unauthenticated,
      "API_KEY_MISSING",
      "Send an API key, as `authorization: Bearer KEY` or `x-api-key: KEY`.",
    );
  }
  const presented = parseApiKey(text);
  const record = presented === undefined ? undefined : findApiKey(presented.id);
  if (presented === undefined || record === undefined || !sameBytes(record.secretSha256, presented.secretSha256)) {
    throw new Refusal(
      Code.Unauthenticated,
      "API_KEY_INVALID",
      "This API key is not known; check it or make a new one.",
    );
  }
  if (record.expireTime !== undefined && timestampMs(record.expireTime) <= nowMs) {
    throw new Refusal(
      Code.Unauthenticated,
      "API_KEY_EXPIRED",
      `This API key expired at ${new Date(timestampMs(record.expireTime)).toISOString()}; make a new one.`,
      { metadata: { expire_time: new Date(timestampMs(record.expireTime)).toISOString() } },
    );
  }
  return { tenant: record.tenant, keyId: record.id };
}

function keyText(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const other = headers["x-api-key"];
  return bearer ?? (Array.isArray(other) ? other[0] : other);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
