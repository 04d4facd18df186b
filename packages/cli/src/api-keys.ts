import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { ApiKeyRecordSchema } from "@codemesh/api";
import { Buckets, type Bus, connectBus, newApiKey, parseApiKey } from "@codemesh/bus";
import { readText, writePrivate } from "./files.js";
import { NATS_USER } from "./nats-server.js";
import type { MeshPaths } from "./paths.js";
import { Problem } from "./problem.js";

/** Whose the key is that `./mesh up` makes. */
export const DEFAULT_TENANT = "default";

/** What NATS is reached with. */
export interface BusAddress {
  readonly natsUrl: string;
  readonly passwordFile: string;
}

/** Makes an API key and returns its text, which is kept nowhere. */
export async function createApiKey(
  address: BusAddress,
  options: { readonly tenant: string; readonly expireTime?: Date },
): Promise<string> {
  const key = newKey(options);
  await withBus(address, async (bus) => {
    const records = await bus.records(Buckets.apiKeys);
    await records.create(key.record.id, key.record);
  });
  return key.text;
}

/** Makes the key of `./mesh run` if there is none, and its record if the bus has lost it. */
export async function ensureOwnKey(paths: MeshPaths, natsUrl: string): Promise<void> {
  const address = { natsUrl, passwordFile: paths.natsPassword };
  const text = readText(paths.key)?.trim();
  const parts = text === undefined ? undefined : parseApiKey(text);
  if (parts === undefined) {
    writePrivate(paths.key, `${await createApiKey(address, { tenant: DEFAULT_TENANT })}\n`);
    return;
  }
  await withBus(address, async (bus) => {
    const records = await bus.records(Buckets.apiKeys);
    if ((await records.get(parts.id)) === undefined) {
      await records.create(
        parts.id,
        create(ApiKeyRecordSchema, { ...parts, tenant: DEFAULT_TENANT, createTime: timestampNow() }),
      );
    }
  });
}

function newKey(options: { readonly tenant: string; readonly expireTime?: Date }) {
  try {
    return newApiKey({ ...options, createTime: new Date() });
  } catch (error) {
    throw error instanceof RangeError ? new Problem(error.message) : error;
  }
}

async function withBus<T>(address: BusAddress, work: (bus: Bus) => Promise<T>): Promise<T> {
  const bus = await connectBus({
    url: address.natsUrl,
    user: NATS_USER,
    passwordFile: address.passwordFile,
    name: "codemesh-cli",
    replicas: 1,
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  });
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}
