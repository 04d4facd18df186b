import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import {
  connectErrorFromRefusal,
  durationFromMs,
  invalidArgument,
  msFromDuration,
  Refusal,
  refusalFromError,
} from "./refusal.js";

test("a refusal that travelled says the same", () => {
  const refusal = new Refusal(Code.ResourceExhausted, "NO_CAPACITY", "Try later.", {
    metadata: { executor: "a" },
    retryAfterMs: 1_500,
  });
  expect(refusalFromError(connectErrorFromRefusal(refusal))).toMatchObject({
    code: Code.ResourceExhausted,
    reason: "NO_CAPACITY",
    message: "Try later.",
    metadata: { executor: "a" },
    retryAfterMs: 1_500,
  });
});

test("a refused request names every wrong field, and its reason is the first's", () => {
  const refusal = invalidArgument([
    { field: "timeout", reason: "TIMEOUT_OUT_OF_RANGE", description: "Must be 1 s to 28,800 s." },
    { field: "labels", reason: "LABELS_INVALID", description: "Must be at most 32." },
  ]);
  expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: "TIMEOUT_OUT_OF_RANGE" });
  expect(refusal.message).toBe("timeout: Must be 1 s to 28,800 s. labels: Must be at most 32.");
  expect(refusalFromError(connectErrorFromRefusal(refusal))?.violations).toMatchObject(refusal.violations);
});

test("what led to a refusal stays here", () => {
  const refusal = new Refusal(Code.Internal, "X", "Y", { cause: new Error("secret") });
  expect(JSON.stringify(connectErrorFromRefusal(refusal).findDetails(ErrorInfoSchema))).not.toContain("secret");
});

test("an error of others is no refusal", () => {
  expect(refusalFromError(new Error("x"))).toBeUndefined();
  expect(refusalFromError(new ConnectError("x", Code.NotFound))).toBeUndefined();
});

test.each([0, 1, 999, 1_000, 28_800_000])("%d ms survive a duration", (ms) => {
  expect(msFromDuration(durationFromMs(ms))).toBe(ms);
});
