import { createHash, randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type ApiKeyRecord, ApiKeyRecordSchema } from "@codemesh/api";
import { isTenant } from "./subjects.js";

// An API key is `cm_{id}_{secret}`: the id finds the record, the secret proves it. A secret has 256 random bits, so a
// plain SHA-256 of it cannot be searched.

const KEY = /^cm_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** A new key: its text, to be shown once, and the record that recognizes it. */
export function newApiKey(options: {
  readonly tenant: string;
  readonly createTime: Date;
  readonly expireTime?: Date;
}): {
  text: string;
  record: ApiKeyRecord;
} {
  if (!isTenant(options.tenant)) {
    throw new RangeError(`${JSON.stringify(options.tenant)} cannot name a tenant: use 1 to 64 of A-Z a-z 0-9 - _.`);
  }
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("hex");
  return {
    text: `cm_${id}_${secret}`,
    record: create(ApiKeyRecordSchema, {
      id,
      secretSha256: sha256(secret),
      tenant: options.tenant,
      createTime: timestampFromDate(options.createTime),
      ...(options.expireTime === undefined ? {} : { expireTime: timestampFromDate(options.expireTime) }),
    }),
  };
}

/** The parts of a key that tell whose it is, or `undefined` for any other text. */
export function parseApiKey(text: string): { id: string; secretSha256: Uint8Array } | undefined {
  const match = KEY.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined
    ? { id: match[1], secretSha256: sha256(match[2]) }
    : undefined;
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
