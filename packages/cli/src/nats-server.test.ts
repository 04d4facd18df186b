import { expect, test } from "vitest";
import { natsConfig } from "./nats-server.js";

const options = { listen: "127.0.0.1:4710", storeDirectory: "/data/nats/store", password: "secret" };

test("every write is synced where the server can be told so, from 2.10 on", () => {
  expect(natsConfig({ ...options, version: "2.10.27" })).toContain("sync_interval: always");
  expect(natsConfig({ ...options, version: "3.0.0" })).toContain("sync_interval: always");
  expect(natsConfig({ ...options, version: "2.9.10" })).not.toContain("sync_interval");
});

test("it listens where it is told and lets nobody in without the password", () => {
  const config = natsConfig({ ...options, version: "2.9.10" });
  expect(config).toContain('listen: "127.0.0.1:4710"');
  expect(config).toContain('authorization { user: "codemesh", password: "secret" }');
});
