import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Usage } from "./domain/usage.js";
import { openLedger } from "./ledger.js";

let directory = "";
let file = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ledger-"));
  file = join(directory, "ledger.sqlite");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const usage = (cpuUs: bigint, final = false): Usage => ({
  cpuUs,
  peakMemoryBytes: 5n << 30n,
  wallUs: 2n ** 53n + 1n,
  startTimeNs: 1_760_000_000_123_456_789n,
  sampleTimeNs: 1_760_000_001_123_456_789n,
  final,
});

test("keeps what was recorded, to the last digit, when it is opened again", () => {
  const before = openLedger(file);
  before.record([{ tenant: "acme", sessionId: "A", sample: usage(7n, true) }]);
  before.close();
  const after = openLedger(file);
  expect(after.usageOf("acme", "A")).toEqual(usage(7n, true));
  after.close();
});

test("counts a sample that comes twice, or late, once", () => {
  const ledger = openLedger(file);
  for (const cpuUs of [5n, 9n, 5n, 9n, 2n]) {
    ledger.record([{ tenant: "acme", sessionId: "A", sample: usage(cpuUs) }]);
  }
  expect(ledger.usageOf("acme", "A")?.cpuUs).toBe(9n);
  ledger.close();
});

test("keeps tenants apart, and sessions", () => {
  const ledger = openLedger(file);
  ledger.record([
    { tenant: "acme", sessionId: "A", sample: usage(1n) },
    { tenant: "acme", sessionId: "B", sample: usage(2n) },
    { tenant: "other", sessionId: "A", sample: usage(3n) },
  ]);
  expect(ledger.usageOf("acme", "A")?.cpuUs).toBe(1n);
  expect(ledger.usageOf("acme", "B")?.cpuUs).toBe(2n);
  expect(ledger.usageOf("other", "A")?.cpuUs).toBe(3n);
  expect(ledger.usageOf("other", "B")).toBeUndefined();
  ledger.close();
});

test("takes all samples of a batch or none", () => {
  const ledger = openLedger(file);
  const tooLarge = usage(2n ** 63n);
  expect(() =>
    ledger.record([
      { tenant: "acme", sessionId: "A", sample: usage(1n) },
      { tenant: "acme", sessionId: "B", sample: tooLarge },
    ]),
  ).toThrow();
  expect(ledger.usageOf("acme", "A")).toBeUndefined();
  ledger.record([{ tenant: "acme", sessionId: "A", sample: usage(1n) }]);
  ledger.close();
});

test("writes ahead to a log", () => {
  openLedger(file).close();
  const database = new DatabaseSync(file);
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
});

test("leaves the ledger of a newer version alone", () => {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA user_version = 99");
  database.close();
  expect(() => openLedger(file)).toThrow("was written by a newer version (schema 99, this one knows 1)");
});
