import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  connectErrorFromRefusal,
  type ExecuteResponseSchema,
  ExecutionService,
  FileService,
  MeteringService,
  SessionService,
} from "@codemesh/api";
import { Code, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import { clientOver } from "./client.js";
import { codeSession, type ExecutionEvent, Outcome, Refusal } from "./index.js";

const NAME = "sessions/01K00000000000000000000001";
const EXECUTION = `${NAME}/executions/01K00000000000000000000002`;

let events: MessageInitShape<typeof ExecuteResponseSchema>["event"][] = [];
let hang = false;
let executing: AbortSignal | undefined;
let seen: string[] = [];
let stops = 0;
let stopFails = false;
let cancelled: string[] = [];
const stored = new Map<string, Uint8Array>();
let damaged = false;

beforeEach(() => {
  [events, hang, executing, seen, stops, stopFails, cancelled, damaged] = [
    [],
    false,
    undefined,
    [],
    0,
    false,
    [],
    false,
  ];
});

function sha256Of(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}

const far = createRouterTransport((router) => {
  router.service(SessionService, {
    createSession(request, context) {
      seen.push(context.requestHeader.get("authorization") ?? "", String(request.timeout?.seconds));
      return { session: { name: NAME } };
    },
    stopSession() {
      stops += 1;
      if (stopFails) {
        throw connectErrorFromRefusal(new Refusal(Code.Unavailable, "SERVICE_UNAVAILABLE", "Try again."));
      }
      return {};
    },
  });
  router.service(ExecutionService, {
    async *execute(request, context) {
      executing = context.signal;
      if (request.work.value?.source === "") {
        throw connectErrorFromRefusal(
          new Refusal(Code.InvalidArgument, "SOURCE_EMPTY", "Must be at least 1 byte.", { metadata: { a: "b" } }),
        );
      }
      for (const [index, event] of events.entries()) {
        yield { sequence: BigInt(index + 1), ...(event === undefined ? {} : { event }) };
      }
      if (hang) {
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      }
    },
    cancelExecution({ name }) {
      cancelled.push(name);
      return {};
    },
  });
  router.service(FileService, {
    async writeFile(requests) {
      let path = "";
      const chunks: Uint8Array[] = [];
      for await (const { part } of requests) {
        if (part.case === "header") {
          path = part.value.path;
          seen.push(`${part.value.sizeBytes} ${part.value.sha256.length}`);
        } else if (part.case === "chunk") {
          chunks.push(part.value);
        }
      }
      const content = Buffer.concat(chunks);
      stored.set(path, content);
      return { file: { path, sizeBytes: BigInt(content.length) }, sha256: sha256Of(content) };
    },
    async *readFile({ path }) {
      const content = stored.get(path) ?? new Uint8Array();
      yield { part: { case: "file", value: { path } } };
      yield { part: { case: "chunk", value: content } };
      yield { part: { case: "end", value: { sha256: sha256Of(damaged ? new Uint8Array(1) : content) } } };
    },
    listFiles({ pageToken }) {
      return pageToken === "" ? { files: [{ path: "a" }], nextPageToken: "t" } : { files: [{ path: "b" }] };
    },
    removeFile({ path, recursive }) {
      seen.push(`${path} ${recursive}`);
      return {};
    },
  });
  router.service(MeteringService, { getSessionUsage: () => ({ usage: { cpuUs: 5n } }) });
});

const client = clientOver(far, "key", () => {});
const started = { case: "started", value: { execution: EXECUTION, startTime: { seconds: 7n } } } as const;
const finished = {
  case: "finished",
  value: { outcome: Outcome.SUCCEEDED, wallTime: { seconds: 1n }, usage: { cpuUs: 3n }, statePreserved: true },
} as const;

test("a session sends its key and is stopped once when its scope is left", async () => {
  {
    await using session = await codeSession({ client, timeoutMs: 60_000 });
    expect(session.name).toBe(NAME);
    expect((await session.usage()).cpuUs).toBe(5n);
    await session.stop();
    await session.stop();
  }
  expect(seen).toEqual(["Bearer key", "60"]);
  expect(stops).toBe(1);
});

test("a stop that failed may be tried again", async () => {
  const session = await codeSession({ client });
  stopFails = true;
  await expect(session.stop()).rejects.toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
  stopFails = false;
  await session.stop();
  expect(stops).toBe(2);
});

test("an execution is its events in order, and no character is split", async () => {
  const [first, second] = [Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xac)];
  events = [
    started,
    { case: "stdout", value: { data: first } },
    { case: "stderr", value: { data: new TextEncoder().encode("oh") } },
    { case: "stdout", value: { data: second } },
    {
      case: "result",
      value: { representations: [{ mediaType: "text/plain", content: { case: "text", value: "42" } }] },
    },
    finished,
  ];
  const session = await codeSession({ client });
  const seenEvents: ExecutionEvent[] = [];
  for await (const event of session.run("6 * 7")) {
    seenEvents.push(event);
  }
  expect(seenEvents.map((event) => event.type)).toEqual([
    "started",
    "stdout",
    "stderr",
    "stdout",
    "result",
    "finished",
  ]);
  expect(seenEvents.map((event) => ("text" in event ? event.text : undefined))).toEqual([
    undefined,
    "",
    "oh",
    "€",
    "42",
    undefined,
  ]);
  expect(seenEvents[0]).toMatchObject({ execution: EXECUTION, startTime: new Date(7000) });
  const all = await session.runToEnd("6 * 7");
  expect([all.stdout, all.stderr, all.results[0]?.text]).toEqual(["€", "oh", "42"]);
  expect(all.finished).toMatchObject({ outcome: Outcome.SUCCEEDED, wallTimeMs: 1000, cpuUs: 3n, statePreserved: true });
});

test("leaving the loop cancels the execution", async () => {
  [events, hang] = [[started], true];
  const session = await codeSession({ client });
  for await (const event of session.run("while True: pass")) {
    expect(event.type).toBe("started");
    break;
  }
  await expect.poll(() => executing?.aborted).toBe(true);
});

test("cancel interrupts by name once it has begun, and ends the stream before", async () => {
  [events, hang] = [[started], true];
  const session = await codeSession({ client });
  const execution = session.run("while True: pass");
  const reading = execution[Symbol.asyncIterator]();
  await reading.next();
  await execution.cancel();
  expect(cancelled).toEqual([EXECUTION]);
  await reading.return?.();

  events = [];
  const waiting = session.run("1");
  const ending = expect(waiting.toEnd()).rejects.toMatchObject({ code: Code.Canceled });
  await waiting.cancel();
  await ending;
  expect(cancelled).toEqual([EXECUTION]);
});

test("a stream that ends before its execution is an error", async () => {
  events = [started];
  const session = await codeSession({ client });
  await expect(session.runToEnd("1")).rejects.toThrow("ended before the execution did");
});

test("what the mesh refuses is a Refusal with its reason and metadata", async () => {
  const session = await codeSession({ client });
  const refusal = await session.runToEnd("").catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: "SOURCE_EMPTY", metadata: { a: "b" } });
});

test("files come back as they were written", async () => {
  const { files } = await codeSession({ client });
  seen = [];
  const content = new Uint8Array((1 << 20) + 5).fill(1);
  expect((await files.write("a", content)).sizeBytes).toBe(BigInt(content.length));
  expect(Buffer.compare(await files.read("a"), content)).toBe(0);
  await files.write("b", "ü");
  await files.write(
    "c",
    (async function* () {
      yield new TextEncoder().encode("x");
      yield new TextEncoder().encode("y");
    })(),
  );
  expect(Buffer.from(await files.read("c")).toString()).toBe("xy");
  expect((await files.list()).map(({ path }) => path)).toEqual(["a", "b"]);
  await files.remove("d", { recursive: true });
  expect(seen).toEqual([`${content.length} 32`, "2 32", "undefined 0", "d true"]);
  damaged = true;
  await expect(files.read("a")).rejects.toMatchObject({ name: "TransferError" });
});
