import { join } from "node:path";
import {
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from "@grpc/proto-loader";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mesh } from "../mesh/mesh.js";

// Nothing of ours but the .proto files: what a stranger with grpc-js would write.

const PROTO = join(import.meta.dirname, "../../proto");
const CHUNK_BYTES = 1 << 20;

type Json = Record<string, unknown>;
type ServiceClient = InstanceType<ServiceClientConstructor>;

let definition: PackageDefinition;
let sessions: ServiceClient;
let executions: ServiceClient;
let files: ServiceClient;
let metadata: Metadata;
let session: string;

beforeAll(async () => {
  definition = loadSync(
    [
      "codemesh/session/v1/session.proto",
      "codemesh/execution/v1/execution.proto",
      "codemesh/file/v1/file.proto",
      "google/rpc/status.proto",
      "google/rpc/error_details.proto",
    ],
    { includeDirs: [PROTO], longs: Number, enums: String, defaults: true, oneofs: true },
  );
  const loaded = loadPackageDefinition(definition);
  const clientOf = (...path: string[]) => {
    const Service = path.reduce<unknown>((scope, name) => (scope as Json)[name], loaded) as ServiceClientConstructor;
    return new Service(new URL(mesh().address).host, credentials.createInsecure());
  };
  sessions = clientOf("codemesh", "session", "v1", "SessionService");
  executions = clientOf("codemesh", "execution", "v1", "ExecutionService");
  files = clientOf("codemesh", "file", "v1", "FileService");
  metadata = new Metadata();
  metadata.set("authorization", `Bearer ${mesh().key}`);
  const created = await unary(sessions, "CreateSession", { timeout: { seconds: 60 } });
  session = (created["session"] as { name: string }).name;
});

afterAll(async () => {
  await unary(sessions, "StopSession", { name: session });
  for (const client of [sessions, executions, files]) {
    client.close();
  }
});

it("streams an execution", async () => {
  const events = await execute('import sys\nprint("out")\nprint("err", file=sys.stderr)\n6 * 7');

  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(bytesOf(events, "stdout")).toBe("out\n");
  expect(bytesOf(events, "stderr")).toBe("err\n");
  expect(events[0]?.["started"]).toMatchObject({ execution: expect.stringContaining(`${session}/executions/`) });
  expect(events.find(({ event }) => event === "result")?.["result"]).toMatchObject({
    representations: [{ mediaType: "text/plain", text: "42" }],
  });
  expect(events.at(-1)?.["finished"]).toMatchObject({ outcome: "OUTCOME_SUCCEEDED", statePreserved: true });
});

it("cancels an execution", async () => {
  const events = await execute("print(1)\nwhile True: pass", async (event, seen) => {
    if (event["event"] === "stdout") {
      await unary(executions, "CancelExecution", { name: executionIn(seen[0]) });
    }
  });

  expect(events.at(-1)?.["finished"]).toMatchObject({ outcome: "OUTCOME_CANCELLED", statePreserved: true });
});

it("writes and reads a file", async () => {
  const content = Buffer.alloc(3 * CHUNK_BYTES + 17, "grpc-js ");

  const written = await new Promise<Json>((resolve, reject) => {
    const call: ClientWritableStream<Json> = files["WriteFile"]?.(
      metadata,
      (error: ServiceError | null, value: Json) => (error === null ? resolve(value) : reject(error)),
    );
    call.write({ header: { session, path: "stock.bin", sizeBytes: { value: content.length } } });
    for (let offset = 0; offset < content.length; offset += CHUNK_BYTES) {
      call.write({ chunk: content.subarray(offset, offset + CHUNK_BYTES) });
    }
    call.end();
  });
  const parts: Json[] = [];
  for await (const part of stream(files, "ReadFile", { session, path: "stock.bin" })) {
    parts.push(part);
  }

  expect(written["file"]).toMatchObject({ path: "stock.bin", sizeBytes: content.length });
  const chunks = parts.flatMap((part) => (part["part"] === "chunk" ? [part["chunk"] as Buffer] : []));
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  expect(parts.at(-1)?.["part"]).toBe("end");
});

it("decodes the details of an error", async () => {
  const error = await unary(sessions, "GetSession", { name: "sessions/x" }).then(
    () => undefined,
    (error: ServiceError) => error,
  );

  expect(error?.code).toBe(status.INVALID_ARGUMENT);
  const bytes = error?.metadata.get("grpc-status-details-bin")[0] as Buffer;
  const { details } = decode("google.rpc.Status", bytes) as { details: { type_url?: string; value: Buffer }[] };
  expect(decode("google.rpc.ErrorInfo", details[0]?.value)).toMatchObject({
    reason: "SESSION_NAME_INVALID",
    domain: "codemesh",
  });
  expect(decode("google.rpc.BadRequest", details[1]?.value)).toMatchObject({ fieldViolations: [{ field: "name" }] });
});

function unary(client: ServiceClient, rpc: string, request: Json): Promise<Json> {
  return new Promise((resolve, reject) => {
    client[rpc]?.(request, metadata, (error: ServiceError | null, value: Json) =>
      error === null ? resolve(value) : reject(error),
    );
  });
}

function stream(client: ServiceClient, rpc: string, request: Json): ClientReadableStream<Json> {
  return client[rpc]?.(request, metadata) as ClientReadableStream<Json>;
}

async function execute(
  source: string,
  onEvent: (event: Json, seen: readonly Json[]) => Promise<void> = async () => {},
): Promise<Json[]> {
  const events: Json[] = [];
  for await (const event of stream(executions, "Execute", { session, code: { language: "LANGUAGE_PYTHON", source } })) {
    events.push(event);
    await onEvent(event, events);
  }
  return events;
}

function executionIn(event: Json | undefined): string {
  return (event?.["started"] as { execution: string } | undefined)?.execution ?? "";
}

function bytesOf(events: readonly Json[], kind: "stdout" | "stderr"): string {
  return Buffer.concat(
    events.flatMap((event) => (event["event"] === kind ? [(event[kind] as { data: Buffer }).data] : [])),
  ).toString();
}

function decode(type: string, bytes: Buffer | undefined): object {
  const message = definition[type] as MessageTypeDefinition<object, object>;
  return message.deserialize(bytes ?? Buffer.alloc(0));
}
