import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ExecuteRequestSchema, Language, MAX_SOURCE_BYTES } from "@codemesh/api";
import { expect, test } from "vitest";
import { executeRequestViolations } from "./execute-request.js";

const session = "sessions/01K00000000000000000000000";
const reasons = (init: MessageInitShape<typeof ExecuteRequestSchema>) =>
  executeRequestViolations(create(ExecuteRequestSchema, init)).map((violation) => violation.reason);
const code = (source: string, language = Language.PYTHON) => ({ case: "code" as const, value: { language, source } });

test("has nothing against a good request", () => {
  expect(reasons({ session, work: code("1+1"), timeout: { seconds: 28_800n } })).toEqual([]);
  expect(reasons({ session, work: code("é".repeat(MAX_SOURCE_BYTES / 2)), timeout: { nanos: 1 } })).toEqual([]);
});

test("names every wrong field at once", () => {
  expect(reasons({ session: "x", work: code("", Language.UNSPECIFIED), timeout: { seconds: -1n } })).toEqual([
    "SESSION_NAME_INVALID",
    "LANGUAGE_UNSUPPORTED",
    "SOURCE_EMPTY",
    "TIMEOUT_OUT_OF_RANGE",
  ]);
});

test("wants to know what to run", () => {
  expect(reasons({ session })).toEqual(["WORK_MISSING"]);
});

test("says how large a source is and how large it may be", () => {
  const [violation] = executeRequestViolations(
    create(ExecuteRequestSchema, { session, work: code("é".repeat(MAX_SOURCE_BYTES)) }),
  );
  expect(violation?.reason).toBe("SOURCE_TOO_LARGE");
  expect(violation?.description).toContain("1048576 bytes; this is 2097152.");
});

test.each([{ seconds: 0n }, { seconds: 28_800n, nanos: 1 }, { nanos: -1 }])("refuses the timeout %o", (timeout) => {
  expect(reasons({ session, work: code("1"), timeout })).toEqual(["TIMEOUT_OUT_OF_RANGE"]);
});
