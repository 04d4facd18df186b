import { generateKeyPairSync } from "node:crypto";
import { Language, SessionState } from "@codemesh/api";
import { createTokenSigner, TOKEN_HEADER } from "@codemesh/service-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mesh } from "./mesh/mesh.js";
import { bearer, clients, clientsOver, transportWith } from "./support/clients.js";
import { run } from "./support/executions.js";
import { pathsIn, write } from "./support/files.js";
import { addressOf, type ServiceName } from "./support/logs.js";
import { refusalOf } from "./support/refusals.js";
import { call, INTERNAL_SERVICES, PUBLIC_SERVICES, type Request, rpcName } from "./support/rpcs.js";
import { type OpenSession, openSession, sessionNamed } from "./support/sessions.js";

const RPCS = PUBLIC_SERVICES.flatMap((service) => service.methods.map((method) => [rpcName(method), method] as const));
const UNKNOWN = "sessions/00000000000000000000000000";

/** For every RPC, a request that is about one session; `undefined` for those that are about none. */
const ABOUT_SESSION: Record<string, ((session: string) => Request) | undefined> = {
  "codemesh.session.v1.SessionService/CreateSession": undefined,
  "codemesh.session.v1.SessionService/ListSessions": undefined,
  "codemesh.session.v1.SessionService/GetSession": (name) => ({ name }),
  "codemesh.session.v1.SessionService/StopSession": (name) => ({ name }),
  "codemesh.execution.v1.ExecutionService/Execute": (session) => ({
    session,
    work: { case: "code", value: { language: Language.PYTHON, source: 'open("intruder", "w")' } },
  }),
  "codemesh.execution.v1.ExecutionService/CancelExecution": (session) => ({
    name: `${session}/executions/${execution.split("/").at(-1)}`,
  }),
  "codemesh.file.v1.FileService/WriteFile": (session) => ({
    part: { case: "header", value: { session, path: "intruder" } },
  }),
  "codemesh.file.v1.FileService/ReadFile": (session) => ({ session, path: "private.txt" }),
  "codemesh.file.v1.FileService/ListFiles": (session) => ({ session }),
  "codemesh.file.v1.FileService/RemoveFile": (session) => ({ session, path: "private.txt" }),
  "codemesh.metering.v1.MeteringService/GetSessionUsage": (session) => ({ session }),
};

let session: OpenSession;
let execution = "";

beforeAll(async () => {
  session = await openSession();
  execution = (await run(session.name, "private = 1")).name;
  await write(session.name, "private.txt", "private");
});

afterAll(() => session[Symbol.asyncDispose]());

describe("an API key", () => {
  const cases: [string, () => Record<string, string>, string][] = [
    ["no", () => ({}), "API_KEY_MISSING"],
    ["a made-up", () => bearer("not-a-key"), "API_KEY_INVALID"],
    ["a right id and a wrong secret in the", () => bearer(tampered(mesh().key)), "API_KEY_INVALID"],
    ["an expired", () => bearer(mesh().expiredKey), "API_KEY_EXPIRED"],
    ["an expired x-api-key", () => ({ "x-api-key": mesh().expiredKey }), "API_KEY_EXPIRED"],
    ["a forged token and no", () => ({ [TOKEN_HEADER]: "forged" }), "API_KEY_MISSING"],
  ];

  describe.each(cases)("%s key", (_, headers, reason) => {
    it.each(RPCS)(`%s answers with ${reason}`, async (_, method) => {
      const refusal = await refusalOf(call(transportWith(headers()), method));

      expect(refusal).toMatchObject({ code: "Unauthenticated", reason, domain: "codemesh" });
      expect(refusal.message).not.toBe("");
    });
  });

  it("may come as x-api-key", async () => {
    const { sessions } = clientsOver(transportWith({ "x-api-key": mesh().key }));

    expect((await sessions.getSession({ name: session.name })).session?.name).toBe(session.name);
  });
});

describe("another tenant's session", () => {
  it("is part of this test for every RPC", () => {
    expect(Object.keys(ABOUT_SESSION).sort()).toEqual(RPCS.map(([name]) => name).sort());
  });

  it.each(RPCS.filter(([name]) => ABOUT_SESSION[name] !== undefined))(
    "is to %s as one that never was",
    async (name, method) => {
      const other = transportWith(bearer(mesh().otherKey));
      const request = ABOUT_SESSION[name];

      const foreign = await refusalOf(call(other, method, request?.(session.name)));
      const unknown = await refusalOf(call(other, method, request?.(UNKNOWN)));

      expect(foreign.code).toBe("NotFound");
      expect(withoutNames(foreign)).toEqual(withoutNames(unknown));
    },
  );

  it("is as it was after all of that", async () => {
    expect((await sessionNamed(session.name)).state).toBe(SessionState.READY);
    expect(await pathsIn(session.name)).toEqual(["private.txt"]);
    expect((await run(session.name, "print(private)")).stdout).toBe("1\n");
  });

  it("is not listed", async () => {
    const mine = await clients().sessions.listSessions({ pageSize: 1000, states: [SessionState.READY] });
    const theirs = await clients(mesh().otherKey).sessions.listSessions({ pageSize: 1000 });

    expect(mine.sessions.map(({ name }) => name)).toContain(session.name);
    const others = new Set(theirs.sessions.map(({ name }) => name));
    expect(mine.sessions.filter(({ name }) => others.has(name))).toEqual([]);
  });
});

describe("a service called directly", () => {
  const backends: [ServiceName, RegExp][] = [
    ["session-manager", /SessionService$/],
    ["executor", /(ExecutionService|SandboxService|SandboxFileService)$/],
    ["file-transfer", /\.FileService$/],
    ["metering", /MeteringService$/],
  ];
  const methods = backends.flatMap(([backend, pattern]) =>
    [...PUBLIC_SERVICES, ...INTERNAL_SERVICES]
      .filter(({ typeName }) => pattern.test(typeName))
      .flatMap((service) => service.methods.map((method) => [backend, rpcName(method), method] as const)),
  );

  it("is tested for every service there is", () => {
    const tested = new Set(methods.map(([, , method]) => method.parent.typeName));
    expect([...PUBLIC_SERVICES, ...INTERNAL_SERVICES].filter(({ typeName }) => !tested.has(typeName))).toEqual([]);
  });

  it.each(methods)("%s: %s refuses a caller without the gateway's token", async (backend, _, method) => {
    const url = addressOf(backend);
    const forged = await createTokenSigner(generateKeyPairSync("ed25519").privateKey).sign({ tenant: "t", keyId: "k" });

    for (const [headers, reason] of [
      [{}, "TOKEN_MISSING"],
      [bearer(mesh().key), "TOKEN_MISSING"],
      [{ [TOKEN_HEADER]: "forged" }, "TOKEN_INVALID"],
      [{ [TOKEN_HEADER]: forged }, "TOKEN_INVALID"],
    ] as const) {
      expect(await refusalOf(call(transportWith(headers, url), method))).toMatchObject({
        code: "Unauthenticated",
        reason,
      });
    }
  });
});

describe("the gateway", () => {
  it.each(INTERNAL_SERVICES.flatMap((service) => service.methods.map((method) => [rpcName(method), method] as const)))(
    "does not know %s",
    async (_, method) => {
      const refusal = await refusalOf(call(transportWith(bearer(mesh().key)), method));

      expect(refusal.code).toBe("Unimplemented");
    },
  );
});

/** The same key with another last character, so that its id is right and its secret is wrong. */
function tampered(key: string): string {
  return key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
}

function withoutNames(refusal: object): string {
  return JSON.stringify(refusal).replaceAll(session.name, "SESSION").replaceAll(UNKNOWN, "SESSION");
}
