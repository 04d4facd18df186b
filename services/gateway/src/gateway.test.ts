import { generateKeyPairSync } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ApiKeyRecord,
  ExecuteResponseSchema,
  ExecutionService,
  FileService,
  Refusal,
  refusalFromError,
  SessionService,
  SessionState,
} from "@codemesh/api";
import { newApiKey } from "@codemesh/bus";
import {
  callerOf,
  createTokenSigner,
  createTokenVerifier,
  listenOnePort,
  type OnePort,
  type Server,
  serve,
} from "@codemesh/service-kit";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBackends } from "./backend.js";
import { createGateway, PUBLIC_SERVICES } from "./gateway.js";
import { createRefuse } from "./refuse.js";

// The services behind are the far side here: a server of ours with answers made up.

const SESSION = "sessions/01JABCDEFGHJKMNPQRSTVWXYZ0";
const logger = pino({ level: "silent" });
const keys = new Map<string, ApiKeyRecord>();
const valid = keyOf({});
const expired = keyOf({ expireTime: new Date(Date.now() - 1_000) });
const cancelled = Promise.withResolvers<void>();
let behind: Server;
let gateway: OnePort;

function keyOf(options: { expireTime?: Date }): string {
  const { text, record } = newApiKey({ tenant: "acme", createTime: new Date(), ...options });
  keys.set(record.id, record);
  return text;
}

beforeAll(async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  behind = await serve({
    listen: { host: "127.0.0.1", port: 0 },
    services: [SessionService, ExecutionService],
    verifier: createTokenVerifier(publicKey),
    logger,
    routes(router) {
      router.service(SessionService, {
        getSession: ({ name }, context) => {
          if (name !== SESSION) {
            throw new Refusal(Code.NotFound, "SESSION_NOT_FOUND", `There is no session ${name}.`);
          }
          return {
            session: {
              name,
              state: SessionState.READY,
              labels: { tenant: callerOf(context).tenant },
              createTime: timestampFromMs(0),
            },
          };
        },
      });
      router.service(ExecutionService, {
        async *execute({ work }, context) {
          yield create(ExecuteResponseSchema, { sequence: 1n, event: { case: "started", value: {} } });
          if (work.value?.source === "wait") {
            context.signal.addEventListener("abort", () => cancelled.resolve());
            await cancelled.promise;
          }
          const chunk = new Uint8Array(60_000);
          for (let index = 2n; index < 200n; index += 1n) {
            yield create(ExecuteResponseSchema, { sequence: index, event: { case: "stdout", value: { data: chunk } } });
          }
        },
      });
      router.service(FileService, {
        async writeFile(parts) {
          let size = 0n;
          for await (const { part } of parts) {
            size += BigInt(part.case === "chunk" ? part.value.length : 0);
          }
          return { file: { sizeBytes: size } };
        },
      });
    },
  });
  behind.setServing(true);
  const handler = createGateway({
    findApiKey: (id) => keys.get(id),
    signer: createTokenSigner(privateKey),
    routes: { urlFor: async () => behind.url },
    backends: createBackends(),
    refuse: createRefuse(PUBLIC_SERVICES),
    urls: new Map([
      [SessionService.typeName, behind.url],
      [FileService.typeName, behind.url],
      ["codemesh.metering.v1.MeteringService", "http://127.0.0.1:1"],
    ]),
    otherwise: (_, response) => {
      response.statusCode = 404;
      response.end();
    },
    logger,
  });
  gateway = await listenOnePort({ listen: { host: "127.0.0.1", port: 0 }, handler, maxConcurrentStreams: 100 });
});

afterAll(async () => {
  await gateway.close();
  await behind.close();
});

const transports: Record<string, () => Transport> = {
  gRPC: () => createGrpcTransport({ baseUrl: gateway.url }),
  "gRPC-Web over HTTP/2": () => createGrpcWebTransport({ baseUrl: gateway.url, httpVersion: "2" }),
  "gRPC-Web over HTTP/1.1": () => createGrpcWebTransport({ baseUrl: gateway.url, httpVersion: "1.1" }),
  "Connect over HTTP/2": () => createConnectTransport({ baseUrl: gateway.url, httpVersion: "2" }),
  "Connect JSON over HTTP/1.1": () =>
    createConnectTransport({ baseUrl: gateway.url, httpVersion: "1.1", useBinaryFormat: false }),
};

async function refusalOf(call: Promise<unknown>): Promise<Refusal | undefined> {
  return refusalFromError(
    await call.then(
      () => undefined,
      (error: unknown) => ConnectError.from(error),
    ),
  );
}

describe.each(Object.keys(transports))("%s", (name) => {
  const headers = { authorization: `Bearer ${valid}` };
  const transport = () => transports[name]?.() as Transport;

  test("reaches the service as the key's tenant", async () => {
    const { session } = await createClient(SessionService, transport()).getSession({ name: SESSION }, { headers });
    expect(session?.labels).toEqual({ tenant: "acme" });
  });

  test("a refusal of the service arrives with its reason", async () => {
    const call = createClient(SessionService, transport()).getSession({ name: "sessions/none" }, { headers });
    expect(await refusalOf(call)).toMatchObject({ code: Code.NotFound, reason: "SESSION_NOT_FOUND" });
  });

  test("wrong keys are refused in the protocol of the call", async () => {
    const client = createClient(SessionService, transport());
    expect(await refusalOf(client.getSession({ name: SESSION }))).toMatchObject({ reason: "API_KEY_MISSING" });
    for (const [key, reason] of [
      [`${valid.slice(0, -1)}${valid.endsWith("0") ? "1" : "0"}`, "API_KEY_INVALID"],
      ["nonsense", "API_KEY_INVALID"],
      [expired, "API_KEY_EXPIRED"],
    ] as const) {
      const call = client.getSession({ name: SESSION }, { headers: { "x-api-key": key } });
      expect(await refusalOf(call)).toMatchObject({ code: Code.Unauthenticated, reason });
    }
  });

  test("streams all of a long answer", async () => {
    const stream = createClient(ExecutionService, transport()).execute({ session: SESSION }, { headers });
    let bytes = 0;
    for await (const { event } of stream) {
      bytes += event.case === "stdout" ? event.value.data.length : 0;
    }
    expect(bytes).toBe(198 * 60_000);
  });

  test("a service that is away is UNAVAILABLE with a time to retry", async () => {
    const { MeteringService } = await import("@codemesh/api");
    const call = createClient(MeteringService, transport()).getSessionUsage({ session: SESSION }, { headers });
    expect(await refusalOf(call)).toMatchObject({
      code: Code.Unavailable,
      reason: "SERVICE_UNAVAILABLE",
      retryAfterMs: 1_000,
    });
  });
});

test("an upload passes whole", async () => {
  const client = createClient(FileService, createGrpcTransport({ baseUrl: gateway.url }));
  async function* parts() {
    for (let index = 0; index < 20; index += 1) {
      yield { part: { case: "chunk" as const, value: new Uint8Array(1 << 20) } };
    }
  }
  const { file } = await client.writeFile(parts(), { headers: { authorization: `Bearer ${valid}` } });
  expect(file?.sizeBytes).toBe(20n << 20n);
});

test("an upload with a wrong key is refused while it is still being sent", async () => {
  const client = createClient(FileService, createGrpcTransport({ baseUrl: gateway.url }));
  async function* parts() {
    for (let index = 0; index < 50; index += 1) {
      yield { part: { case: "chunk" as const, value: new Uint8Array(1 << 20) } };
    }
  }
  expect(await refusalOf(client.writeFile(parts(), { headers: { "x-api-key": "no" } }))).toMatchObject({
    reason: "API_KEY_INVALID",
  });
});

test("a client that goes away ends the call at the service", async () => {
  const stopping = new AbortController();
  const client = createClient(ExecutionService, createGrpcTransport({ baseUrl: gateway.url }));
  const request = create(ExecutionService.method.execute.input, {
    session: SESSION,
    work: { case: "code", value: { source: "wait" } },
  });
  await expect(async () => {
    for await (const _ of client.execute(request, {
      headers: { authorization: `Bearer ${valid}` },
      signal: stopping.signal,
    })) {
      stopping.abort();
    }
  }).rejects.toThrow();
  await cancelled.promise;
});

test("a token from outside is not passed on", async () => {
  const client = createClient(SessionService, createGrpcTransport({ baseUrl: gateway.url }));
  const headers = { authorization: `Bearer ${valid}`, "codemesh-token": "forged" };
  const { session } = await client.getSession({ name: SESSION }, { headers });
  expect(session?.labels).toEqual({ tenant: "acme" });
});

test("a call past the gateway, without its token, is refused", async () => {
  const call = createClient(SessionService, createGrpcTransport({ baseUrl: behind.url })).getSession({ name: SESSION });
  expect(await refusalOf(call)).toMatchObject({ code: Code.Unauthenticated, reason: "TOKEN_MISSING" });
});
