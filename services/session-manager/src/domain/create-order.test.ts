import type { Refusal } from "@codemesh/api";
import { expect, test } from "vitest";
import { type CreateRequest, createOrder } from "./create-order.js";

const order = (request: Partial<CreateRequest>) => createOrder({ environment: {}, labels: {}, ...request });

function violations(request: Partial<CreateRequest>) {
  try {
    order(request);
    return [];
  } catch (error) {
    return (error as Refusal).violations;
  }
}

const reasons = (request: Partial<CreateRequest>) => violations(request).map((violation) => violation.reason);
const seconds = (value: number, nanos = 0) => ({ timeout: { seconds: BigInt(value), nanos } });

test("gives a session 900 s when it asks for none", () => {
  expect(order({})).toMatchObject({ timeoutMs: 900_000 });
});

test("takes timeouts from 1 s to 8 h", () => {
  expect(order(seconds(1))).toMatchObject({ timeoutMs: 1_000 });
  expect(order(seconds(28_800))).toMatchObject({ timeoutMs: 28_800_000 });
  for (const wrong of [seconds(0), seconds(0, 999_000_000), seconds(28_800, 1), seconds(-5), seconds(2 ** 52)]) {
    expect(reasons(wrong)).toEqual(["TIMEOUT_OUT_OF_RANGE"]);
  }
});

test("takes 256 variables and 64 KiB of them, no more", () => {
  const variables = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, "x"]));
  expect(reasons({ environment: variables(256) })).toEqual([]);
  expect(reasons({ environment: variables(257) })).toEqual(["ENVIRONMENT_INVALID"]);
  expect(reasons({ environment: { A: "x".repeat(65_535) } })).toEqual([]);
  expect(reasons({ environment: { A: "ä".repeat(32_768) } })).toEqual(["ENVIRONMENT_INVALID"]);
});

test("takes no variable that a process could not have", () => {
  for (const [name, value] of [
    ["1A", ""],
    ["A-B", ""],
    ["", "x"],
    ["A=B", ""],
    ["A", "a\0b"],
  ] as const) {
    expect(reasons({ environment: { [name]: value } })).toEqual(["ENVIRONMENT_INVALID"]);
  }
});

test("takes 32 labels with plain keys and values of 255 characters", () => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, "v"]));
  expect(reasons({ labels: { ...labels(31), "team/a.b_c-d": "😀".repeat(255) } })).toEqual([]);
  for (const wrong of [labels(33), { Team: "x" }, { "": "x" }, { ["k".repeat(64)]: "x" }, { k: "x".repeat(256) }]) {
    expect(reasons({ labels: wrong })).toEqual(["LABELS_INVALID"]);
  }
});

test("names everything that is wrong at once", () => {
  expect(violations({ ...seconds(0), environment: { "1A": "", "2B": "" }, labels: { X: "" } })).toEqual([
    { field: "timeout", reason: "TIMEOUT_OUT_OF_RANGE", description: "Must be from 1 s to 28800 s (8 h)." },
    {
      field: "environment",
      reason: "ENVIRONMENT_INVALID",
      description: 'Names must match [A-Za-z_][A-Za-z0-9_]*; not so "1A" and 1 more.',
    },
    {
      field: "labels",
      reason: "LABELS_INVALID",
      description: 'Keys must be 1 to 63 characters from [a-z0-9._/-]; not so "X".',
    },
  ]);
});
