import { durationFromMs, Language, type SessionState } from "@codemesh/api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mesh } from "./mesh/mesh.js";
import { bearer, clients, clientsOver, transportWith } from "./support/clients.js";
import { run } from "./support/executions.js";
import { read, write } from "./support/files.js";
import { markLogs, since } from "./support/logs.js";
import { refusalOf } from "./support/refusals.js";
import { type OpenSession, openSession } from "./support/sessions.js";
import { until } from "./support/until.js";

const UNKNOWN = "sessions/00000000000000000000000000";
const { sessions, executions, files, metering } = deferred();

let session: OpenSession;

beforeAll(async () => {
  session = await openSession();
});

afterAll(() => session[Symbol.asyncDispose]());

interface Mistake {
  readonly call: () => Promise<unknown> | AsyncIterable<unknown>;
  readonly code: string;
  readonly reason: string;
  /** What a person needs in the sentence. */
  readonly says: RegExp;
  /** The fields that are wrong. */
  readonly fields?: readonly string[];
}

const MISTAKES: Record<string, Mistake> = {
  "showing an unknown session": {
    call: () => sessions().getSession({ name: UNKNOWN }),
    code: "NotFound",
    reason: "SESSION_NOT_FOUND",
    says: /sessions\/0{26}/,
  },
  "stopping another tenant's session": {
    call: () => clients(mesh().otherKey).sessions.stopSession({ name: session.name }),
    code: "NotFound",
    reason: "SESSION_NOT_FOUND",
    says: /sessions\//,
  },
  "an expired key": {
    call: () => clientsOver(transportWith(bearer(mesh().expiredKey))).sessions.listSessions({}),
    code: "Unauthenticated",
    reason: "API_KEY_EXPIRED",
    says: /expired/,
  },
  "a name that names no session": {
    call: () => sessions().getSession({ name: "sessions/x" }),
    code: "InvalidArgument",
    reason: "SESSION_NAME_INVALID",
    says: /sessions\/\{session\}/,
    fields: ["name"],
  },
  "a session of 0.5 s": {
    call: () => sessions().createSession({ timeout: durationFromMs(500) }),
    code: "InvalidArgument",
    reason: "TIMEOUT_OUT_OF_RANGE",
    says: /timeout/,
    fields: ["timeout"],
  },
  "a session of 8 h and 1 s": {
    call: () => sessions().createSession({ timeout: durationFromMs(28_801_000) }),
    code: "InvalidArgument",
    reason: "TIMEOUT_OUT_OF_RANGE",
    says: /28,?800/,
    fields: ["timeout"],
  },
  "a label that is none": {
    call: () => sessions().createSession({ labels: { "No Label": "x" } }),
    code: "InvalidArgument",
    reason: "LABELS_INVALID",
    says: /labels/,
  },
  "an environment variable that is none": {
    call: () => sessions().createSession({ environment: { "1=2": "x" } }),
    code: "InvalidArgument",
    reason: "ENVIRONMENT_INVALID",
    says: /environment/,
  },
  "a page token of somebody else's": {
    call: () => sessions().listSessions({ pageToken: "nonsense" }),
    code: "InvalidArgument",
    reason: "PAGE_TOKEN_INVALID",
    says: /page/,
  },
  "a state that is none": {
    call: () => sessions().listSessions({ states: [99 as SessionState] }),
    code: "InvalidArgument",
    reason: "STATES_INVALID",
    says: /states/,
  },
  "running in an unknown session": {
    call: () => run(UNKNOWN, "1"),
    code: "NotFound",
    reason: "SESSION_NOT_FOUND",
    says: /sessions\/0{26}/,
  },
  "an empty source": {
    call: () => run(session.name, ""),
    code: "InvalidArgument",
    reason: "SOURCE_EMPTY",
    says: /code\.source/,
    fields: ["code.source"],
  },
  "a source of 5 MB": {
    call: () => run(session.name, "#".repeat(5_000_000)),
    code: "InvalidArgument",
    reason: "SOURCE_TOO_LARGE",
    says: /1,?048,?576.*5,?000,?000/,
    fields: ["code.source"],
  },
  "an unknown language": {
    call: () => executionIn(99 as Language),
    code: "InvalidArgument",
    reason: "LANGUAGE_UNSUPPORTED",
    says: /LANGUAGE_PYTHON/,
    fields: ["code.language"],
  },
  "no language": {
    call: () => executionIn(Language.UNSPECIFIED),
    code: "InvalidArgument",
    reason: "LANGUAGE_UNSUPPORTED",
    says: /LANGUAGE_PYTHON/,
    fields: ["code.language"],
  },
  "nothing to run": {
    call: () => executions().execute({ session: session.name }),
    code: "InvalidArgument",
    reason: "WORK_MISSING",
    says: /code/,
  },
  "an execution of 0 s": {
    call: () => run(session.name, "1", { timeoutMs: 0 }),
    code: "InvalidArgument",
    reason: "TIMEOUT_OUT_OF_RANGE",
    says: /timeout/,
    fields: ["timeout"],
  },
  "an execution of minus 1 s": {
    call: () => run(session.name, "1", { timeoutMs: -1_000 }),
    code: "InvalidArgument",
    reason: "TIMEOUT_OUT_OF_RANGE",
    says: /timeout/,
    fields: ["timeout"],
  },
  "an execution of 8 h and 1 s with an empty source": {
    call: () => run(session.name, "", { timeoutMs: 28_801_000 }),
    code: "InvalidArgument",
    reason: "SOURCE_EMPTY",
    says: /code\.source.*timeout/,
    fields: ["code.source", "timeout"],
  },
  "cancelling an execution that never was": {
    call: () => executions().cancelExecution({ name: `${session.name}/executions/00000000000000000000000000` }),
    code: "NotFound",
    reason: "EXECUTION_NOT_FOUND",
    says: /executions\/0{26}/,
  },
  "a name that names no execution": {
    call: () => executions().cancelExecution({ name: session.name }),
    code: "InvalidArgument",
    reason: "EXECUTION_NAME_INVALID",
    says: /executions\/\{execution\}/,
    fields: ["name"],
  },
  "writing to a malformed path": {
    call: () => write(session.name, "../outside", "x"),
    code: "InvalidArgument",
    reason: "PATH_INVALID",
    says: /\/workspace/,
  },
  "reading a malformed path": {
    call: () => read(session.name, "/etc/passwd"),
    code: "InvalidArgument",
    reason: "PATH_INVALID",
    says: /absolute/,
    fields: ["path"],
  },
  "reading from before the beginning": {
    call: () => read(session.name, "file", { offset: -1 }),
    code: "InvalidArgument",
    reason: "NUMBER_NEGATIVE",
    says: /offset/,
    fields: ["offset"],
  },
  "removing what is not there": {
    call: () => files().removeFile({ session: session.name, path: "nothing" }),
    code: "NotFound",
    reason: "FILE_NOT_FOUND",
    says: /nothing/,
  },
  "the usage of an unknown session": {
    call: () => metering().getSessionUsage({ session: UNKNOWN }),
    code: "NotFound",
    reason: "USAGE_NOT_FOUND",
    says: /sessions\/0{26}/,
  },
};

it.each(Object.entries(MISTAKES))("%s is refused with a code, a reason and a sentence", async (_, mistake) => {
  const mark = markLogs();

  const refusal = await refusalOf(mistake.call());

  expect(refusal).toMatchObject({ code: mistake.code, reason: mistake.reason, domain: "codemesh" });
  expect(refusal.message).toMatch(mistake.says);
  expect(refusal.message).toMatch(/[.!]$/);
  if (mistake.fields !== undefined) {
    expect(refusal.fields).toEqual(mistake.fields);
  }

  // One line in the log of the service that refused, and no stack in any.
  const refused = () => since(mark).filter(({ fields }) => fields["reason"] === mistake.reason);
  await until("the refusal is logged", () => refused().length > 0);
  const services = refused().map(({ service }) => service);
  expect(new Set(services).size).toBe(services.length);
  expect(
    since(mark)
      .map(({ text }) => text)
      .filter((text) => /"stack"|\\n {4}at /.test(text)),
  ).toEqual([]);
});

function executionIn(language: Language) {
  return executions().execute({ session: session.name, work: { case: "code", value: { language, source: "1" } } });
}

/** The clients of tenant A; there is no mesh yet when the table is written. */
function deferred() {
  return {
    sessions: () => clients().sessions,
    executions: () => clients().executions,
    files: () => clients().files,
    metering: () => clients().metering,
  };
}
