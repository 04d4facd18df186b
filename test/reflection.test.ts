import { healthpb, SessionState } from "@codemesh/api";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { mesh } from "./mesh/mesh.js";
import { buf } from "./support/buf.js";
import { bearer, clientsOver, transportWith } from "./support/clients.js";
import { run } from "./support/executions.js";
import { read, write } from "./support/files.js";
import { refusalOf } from "./support/refusals.js";
import { PUBLIC_SERVICES } from "./support/rpcs.js";
import { openSession } from "./support/sessions.js";

const LIST_SESSIONS = "codemesh.session.v1.SessionService/ListSessions";

describe.each(["grpc-v1", "grpc-v1alpha"])("reflection %s through the gateway", (reflection) => {
  const options = ["--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", reflection];

  it("lists every service, to a caller without a key", async () => {
    const listed = await buf("curl", ...options, "--list-services", mesh().address);

    expect(listed.trim().split("\n")).toEqual(expect.arrayContaining(PUBLIC_SERVICES.map(({ typeName }) => typeName)));
    expect(listed).toContain("grpc.health.v1.Health");
    expect(listed).not.toContain("codemesh.executor");
  });

  it("is enough to make a call", async () => {
    const answer = await buf(
      "curl",
      ...options,
      "--header",
      `authorization: Bearer ${mesh().key}`,
      "--data",
      '{"pageSize": 1}',
      `${mesh().address}/${LIST_SESSIONS}`,
    );

    expect(JSON.parse(answer)).toBeTypeOf("object");
  });
});

describe("health through the gateway", () => {
  const health = () => createClient(healthpb.Health, transportWith({}));

  it.each(["", ...PUBLIC_SERVICES.map(({ typeName }) => typeName)])("of %o is SERVING", async (service) => {
    expect((await health().check({ service })).status).toBe(healthpb.HealthCheckResponse_ServingStatus.SERVING);
  });

  it("of a service that is not there is NOT_FOUND", async () => {
    expect((await refusalOf(health().check({ service: "no.such.Service" }))).code).toBe("NotFound");
  });
});

describe("the Connect protocol", () => {
  it("answers a POST of JSON over HTTP/1.1", async () => {
    const response = await fetch(`${mesh().address}/${LIST_SESSIONS}`, {
      method: "POST",
      headers: { ...bearer(mesh().key), "content-type": "application/json" },
      body: '{"pageSize": 1, "states": ["SESSION_STATE_READY"]}',
    });

    expect(response.status).toBe(200);
    expect(await response.json()).toBeTypeOf("object");
  });

  it("answers a mistake with its code, reason and sentence in JSON", async () => {
    const response = await fetch(`${mesh().address}/${LIST_SESSIONS}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });

    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      code: "unauthenticated",
      message: expect.stringMatching(/\.$/),
      details: [expect.objectContaining({ type: "google.rpc.ErrorInfo" })],
    });
  });
});

describe("gRPC-Web", () => {
  it("creates, runs, moves files and stops", async () => {
    const by = clientsOver(
      createGrpcWebTransport({
        baseUrl: mesh().address,
        httpVersion: "1.1",
        interceptors: [
          (next) => (request) => {
            request.header.set("x-api-key", mesh().key);
            return next(request);
          },
        ],
      }),
    );
    await using session = await openSession({}, by);

    await write(session.name, "web.txt", "from the web", { by });
    const { stdout } = await run(session.name, 'print(open("web.txt").read())', { by });
    expect(stdout).toBe("from the web\n");
    expect((await read(session.name, "web.txt", { by })).content.toString()).toBe("from the web");

    const { sessions } = await by.sessions.listSessions({ pageSize: 1000, states: [SessionState.READY] });
    expect(sessions.map(({ name }) => name)).toContain(session.name);
  });
});
