import { createHash, generateKeyPairSync } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  EndReason,
  ExecutorRecordSchema,
  FileService,
  MAX_INLINE_FILE_BYTES,
  type Refusal,
  refusalFromError,
  SandboxFileService,
  SessionRecordSchema,
  SessionState,
  sessionName,
  type WriteFileRequestSchema,
} from "@codemesh/api";
import {
  createLogger,
  createServiceClients,
  createTokenSigner,
  createTokenVerifier,
  serve,
  TOKEN_HEADER,
} from "@codemesh/service-kit";
import { type CallOptions, type Client, Code } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFileService } from "./file-service.js";
import { createSandboxFiles } from "./sandbox-files.js";
import { createFarExecutor } from "./testing/far-executor.js";

const ready = sessionName("01K00000000000000000000001");
const ended = sessionName("01K00000000000000000000002");
const lost = sessionName("01K00000000000000000000003");
const unreachable = sessionName("01K00000000000000000000004");

const executor = createFarExecutor();
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const logger = createLogger({ service: "test", level: "silent" });
const clients = createServiceClients();
const closing: (() => Promise<void>)[] = [];
let files: Client<typeof FileService>;
let options: CallOptions;

beforeAll(async () => {
  const common = { listen: { host: "127.0.0.1", port: 0 }, verifier: createTokenVerifier(publicKey), logger };
  const far = await serve({
    ...common,
    services: [SandboxFileService],
    routes: (router) => router.service(SandboxFileService, executor.service),
  });
  const sessionRecord = (state: SessionState, executorId: string, executorIncarnation = "i1") =>
    create(SessionRecordSchema, {
      session: { state, endReason: state === SessionState.READY ? 0 : EndReason.EXPIRED },
      executor: executorId,
      executorIncarnation,
    });
  const sandboxes = createSandboxFiles({
    sessions: records({
      [`acme.${ready.slice(9)}`]: sessionRecord(SessionState.READY, "e1"),
      [`acme.${ended.slice(9)}`]: sessionRecord(SessionState.TERMINATED, "e1"),
      [`acme.${lost.slice(9)}`]: sessionRecord(SessionState.READY, "e1", "i0"),
      [`acme.${unreachable.slice(9)}`]: sessionRecord(SessionState.READY, "e2"),
    }),
    executors: records({
      e1: create(ExecutorRecordSchema, { address: far.url, incarnation: "i1" }),
      e2: create(ExecutorRecordSchema, { address: "http://127.0.0.1:1", incarnation: "i1" }),
    }),
    clients,
  });
  const server = await serve({
    ...common,
    services: [FileService],
    routes: (router) => router.service(FileService, createFileService(sandboxes)),
  });
  closing.push(server.close, far.close);
  files = clients.clientFor(FileService, server.url);
  options = await optionsOf("acme");
});

beforeEach(() => {
  executor.puts = [];
  executor.reportedBytes = undefined;
});

afterAll(async () => {
  clients.close();
  await Promise.all(closing.map((close) => close()));
});

function records<T>(values: Record<string, T>) {
  return {
    async get(key: string) {
      const value = values[key];
      return value === undefined ? undefined : { key, value, revision: 1n };
    },
  };
}

async function optionsOf(tenant: string): Promise<CallOptions> {
  return { headers: { [TOKEN_HEADER]: await createTokenSigner(privateKey).sign({ tenant, keyId: "k" }) } };
}

type Part = MessageInitShape<typeof WriteFileRequestSchema>;

async function* upload(
  header: { session?: string; path?: string; sizeBytes?: bigint; sha256?: Uint8Array },
  ...chunks: Uint8Array[]
): AsyncGenerator<Part> {
  yield { part: { case: "header", value: { session: ready, path: "a.bin", ...header } } };
  for (const value of chunks) {
    yield { part: { case: "chunk", value } };
  }
}

async function refusalOf(call: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return refusalFromError(error);
  }
}

async function readAll(request: { path: string; limit?: bigint; session?: string }) {
  const parts = [];
  for await (const { part } of files.readFile({ session: ready, ...request }, options)) {
    parts.push(part);
  }
  return parts;
}

function sha256Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

test("writes a file with the size and the checksum counted here, in chunks of at most 1 MiB", async () => {
  const content = new Uint8Array((5 << 19) + 1).fill(9);
  const { file, sha256 } = await files.writeFile(
    upload({ sizeBytes: BigInt(content.length), sha256: sha256Of(content) }, content),
    options,
  );
  expect(file?.path).toBe("a.bin");
  expect(new Uint8Array(sha256)).toEqual(sha256Of(content));
  expect(executor.puts[0]?.chunkBytes).toEqual([1 << 20, 1 << 20, (1 << 19) + 1]);
  expect(new Uint8Array(executor.puts[0]?.sha256 ?? [])).toEqual(sha256Of(content));
});

test("writes an empty file", async () => {
  await files.writeFile(upload({}), options);
  expect(new Uint8Array(executor.puts[0]?.sha256 ?? [])).toEqual(sha256Of(new Uint8Array()));
});

test.each([
  { reason: "SIZE_MISMATCH", when: "less came than declared", header: { sizeBytes: 4n } },
  { reason: "SIZE_MISMATCH", when: "more came than declared", header: { sizeBytes: 2n } },
  { reason: "CHECKSUM_MISMATCH", when: "other bytes came", header: { sha256: new Uint8Array(32) } },
])("answers $reason when $when, and never tells the executor an end", async ({ reason, header }) => {
  const refusal = await refusalOf(files.writeFile(upload(header, new Uint8Array(3)), options));
  expect(refusal?.reason).toBe(reason);
  await executor.puts[0]?.over;
  expect(executor.puts[0]?.sha256).toBeUndefined();
});

test("takes 100 MiB and refuses the byte after, whatever the header said", async () => {
  const chunks = Array.from({ length: 100 }, () => new Uint8Array(1 << 20));
  await files.writeFile(upload({ sizeBytes: BigInt(MAX_INLINE_FILE_BYTES) }, ...chunks), options);
  expect(executor.puts[0]?.sha256).toBeDefined();
  const refusal = await refusalOf(files.writeFile(upload({}, ...chunks, new Uint8Array(1)), options));
  expect(refusal?.reason).toBe("FILE_TOO_LARGE");
  await executor.puts[1]?.over;
  expect(executor.puts[1]?.sha256).toBeUndefined();
});

test("an upload that its caller breaks off never reaches its end", async () => {
  const leaving = new AbortController();
  async function* hanging() {
    yield* upload({}, new Uint8Array(10));
    leaving.abort();
    await new Promise(() => {});
  }
  await expect(files.writeFile(hanging(), { ...options, signal: leaving.signal })).rejects.toThrow();
  await expect.poll(() => executor.puts.length).toBe(1);
  await executor.puts[0]?.over;
  expect(executor.puts[0]?.sha256).toBeUndefined();
});

test("refuses an upload without a header, and one with wrong fields for all of them at once", async () => {
  async function* headless(): AsyncGenerator<Part> {
    yield { part: { case: "chunk", value: new Uint8Array(1) } };
  }
  expect((await refusalOf(files.writeFile(headless(), options)))?.reason).toBe("HEADER_MISSING");
  const refusal = await refusalOf(
    files.writeFile(upload({ session: "x", path: "../y", sizeBytes: -1n, sha256: new Uint8Array(3) }), options),
  );
  expect(refusal?.violations.map(({ field }) => field)).toEqual([
    "header.session",
    "header.path",
    "header.size_bytes",
    "header.sha256",
  ]);
  const large = await refusalOf(files.writeFile(upload({ sizeBytes: BigInt(MAX_INLINE_FILE_BYTES) + 1n }), options));
  expect(large?.reason).toBe("FILE_TOO_LARGE");
  expect(executor.puts).toEqual([]);
});

test("hands on what the executor refuses", async () => {
  const refusal = await refusalOf(files.writeFile(upload({ path: "full" }, new Uint8Array(5)), options));
  expect([refusal?.code, refusal?.reason]).toEqual([Code.ResourceExhausted, "WORKSPACE_FULL"]);
  expect((await refusalOf(files.removeFile({ session: ready, path: "x" }, options)))?.reason).toBe("FILE_NOT_FOUND");
});

test("reads a file and ends with the checksum of what it sent", async () => {
  const stored = new Uint8Array(2500).fill(3);
  executor.stored = stored;
  const parts = await readAll({ path: "a", limit: 1500n });
  expect(parts.map((part) => part.case)).toEqual(["file", "chunk", "chunk", "end"]);
  const end = parts.at(-1);
  expect(end?.case === "end" && [end.value.sizeBytes, new Uint8Array(end.value.sha256)]).toEqual([
    1500n,
    sha256Of(stored.subarray(0, 1500)),
  ]);
});

test("refuses to send more than 100 MiB before the first byte, and ends the executor's call", async () => {
  executor.reportedBytes = BigInt(MAX_INLINE_FILE_BYTES) + 1n;
  expect((await refusalOf(readAll({ path: "a" })))?.reason).toBe("FILE_TOO_LARGE");
  await expect.poll(() => executor.readSignal?.aborted).toBe(true);
});

test("lists a directory page by page", async () => {
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await files.listFiles({ session: ready, path: "d", pageSize: 1, pageToken }, options);
    seen.push(...page.files.map(({ path }) => path));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(["d/a", "d/b", "d/ü"]);
  const refusal = await refusalOf(files.listFiles({ session: ready, pageSize: -1, pageToken: "?" }, options));
  expect(refusal?.violations.map(({ reason }) => reason)).toEqual(["NUMBER_NEGATIVE", "PAGE_TOKEN_INVALID"]);
});

test("tells why a session's files cannot be reached", async () => {
  const other = await refusalOf(files.listFiles({ session: ready }, await optionsOf("other")));
  expect([other?.code, other?.reason]).toEqual([Code.NotFound, "SESSION_NOT_FOUND"]);
  const over = await refusalOf(files.listFiles({ session: ended }, options));
  expect([over?.reason, over?.metadata]).toEqual([
    "SESSION_NOT_READY",
    { session: ended, state: "TERMINATED", end_reason: "EXPIRED" },
  ]);
  for (const session of [lost, unreachable]) {
    expect((await refusalOf(files.listFiles({ session }, options)))?.reason).toBe("EXECUTOR_UNAVAILABLE");
    expect((await refusalOf(readAll({ session, path: "a" })))?.reason).toBe("EXECUTOR_UNAVAILABLE");
    expect((await refusalOf(files.writeFile(upload({ session }), options)))?.reason).toBe("EXECUTOR_UNAVAILABLE");
  }
});
