import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Language, linkpb } from "@codemesh/api";
import { encodeFrame, FrameReader } from "@codemesh/link";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgentLink } from "./agent-link.js";
import type { ContextStream } from "./context-stream.js";
import { LinkViolation } from "./violation.js";

// The far side is faked: what speaks here is whatever runs in a sandbox.

let directory: string;
let link: AgentLink;
const events = { connected: vi.fn(), lost: vi.fn(), violated: vi.fn() };
const sink = { output: vi.fn(), result: vi.fn(), ended: vi.fn() };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "link-"));
  vi.clearAllMocks();
  link = await AgentLink.listen(join(directory, "s"), events);
});
afterEach(async () => {
  await link.close();
  await rm(directory, { recursive: true });
});

async function dial(purpose?: MessageInitShape<typeof linkpb.HelloSchema>["purpose"]): Promise<Socket> {
  const socket = connect(join(directory, "s", "l.sock"));
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  if (purpose !== undefined) {
    socket.write(encodeFrame(linkpb.HelloSchema, create(linkpb.HelloSchema, { protocol: 1, purpose })));
  }
  return socket;
}

const closed = (socket: Socket) => new Promise<true>((resolve) => socket.resume().once("close", () => resolve(true)));

/** What was asked for with the request of this index. */
function asked<T>(requests: readonly linkpb.ControlRequest["request"][], index: number): T {
  const value = requests[index]?.value;
  if (value === undefined) {
    throw new Error("nothing was asked for");
  }
  return value as T;
}

/** Dials control and collects what the executor asks for. */
async function dialControl(secret: Uint8Array = new Uint8Array()) {
  const socket = await dial({ case: "controlSecret", value: secret });
  const reader = new FrameReader(linkpb.ControlRequestSchema, { maxFrameBytes: 1 << 20 });
  const requests: linkpb.ControlRequest["request"][] = [];
  socket.on("data", (chunk) => requests.push(...reader.push(chunk).map(({ request }) => request)));
  await vi.waitFor(() => expect(requests[0]?.case).toBe("welcome"));
  return { socket, requests, secret: asked<linkpb.Welcome>(requests, 0).secret };
}

function reply(socket: Socket, init: MessageInitShape<typeof linkpb.ControlReplySchema>): void {
  socket.write(encodeFrame(linkpb.ControlReplySchema, create(linkpb.ControlReplySchema, init)));
}

async function openContext(): Promise<{ stream: ContextStream; socket: Socket; violated: ReturnType<typeof vi.fn> }> {
  const control = await dialControl();
  const opening = link.openContext(Language.PYTHON);
  await vi.waitFor(() => expect(control.requests[1]?.case).toBe("openContext"));
  const { token } = asked<linkpb.OpenContext>(control.requests, 1);
  const socket = await dial({ case: "streamToken", value: token });
  const stream = await opening;
  const violated = vi.fn();
  stream.start({ ready: () => {}, violated });
  return { stream, socket, violated };
}

function tell(socket: Socket, init: MessageInitShape<typeof linkpb.ContextEventSchema>): void {
  socket.write(encodeFrame(linkpb.ContextEventSchema, create(linkpb.ContextEventSchema, init)));
}

test("lets anyone connect and nobody look or write", async () => {
  expect((await stat(join(directory, "s"))).mode & 0o777).toBe(0o711);
  expect((await stat(join(directory, "s", "l.sock"))).mode & 0o777).toBe(0o666);
});

test("takes the first control connection and later only who shows the secret", async () => {
  const first = await dialControl();
  expect(await closed(await dial({ case: "controlSecret", value: new Uint8Array() }))).toBe(true);
  expect(await closed(await dial({ case: "controlSecret", value: new Uint8Array(32) }))).toBe(true);
  expect(link.control.connected).toBe(true);
  first.socket.destroy();
  await vi.waitFor(() => expect(events.lost).toHaveBeenCalledOnce());
  await dialControl(first.secret);
  expect(link.control.connected).toBe(true);
});

test("matches replies to calls, and fails calls when the connection is lost", async () => {
  const { socket, requests } = await dialControl();
  const call = link.control.call({ case: "removeEntry", value: { path: "a" } }, 1_000);
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  reply(socket, { call: asked<linkpb.Call>(requests, 1).call, reply: { case: "done", value: {} } });
  expect((await call).reply.case).toBe("done");
  const lost = link.control.call({ case: "removeEntry", value: { path: "a" } }, 1_000);
  socket.destroy();
  await expect(lost).rejects.toMatchObject({ reason: "EXECUTOR_UNAVAILABLE" });
});

test("ends an agent that answers a call nobody made", async () => {
  const { socket } = await dialControl();
  reply(socket, { call: 7n, reply: { case: "done", value: {} } });
  expect(await closed(socket)).toBe(true);
  expect(events.violated).toHaveBeenCalledWith(expect.any(LinkViolation));
});

test.each<[string, Uint8Array]>([
  ["a first message of more than 256 bytes", Buffer.concat([Buffer.from([0x81, 0x02]), Buffer.alloc(257)])],
  ["a length without an end", Buffer.alloc(8, 0xff)],
  ["bytes that are no message", Buffer.from([3, 0xff, 0xff, 0xff])],
  ["another protocol", Buffer.from([2, 0x08, 0x02])],
  ["no purpose", Buffer.from([2, 0x08, 0x01])],
  ["a token nobody gave out", Buffer.concat([Buffer.from([36, 0x08, 0x01, 0x1a, 32]), Buffer.alloc(32, 7)])],
])("closes a connection that begins with %s", async (_, bytes) => {
  const socket = await dial();
  socket.write(bytes);
  expect(await closed(socket)).toBe(true);
  expect(events.violated).not.toHaveBeenCalled();
});

test("keeps at most 8 connections that have not said what they are for", async () => {
  const strangers = await Promise.all(Array.from({ length: 12 }, () => dial()));
  const open = () => strangers.filter((socket) => !socket.resume().closed).length;
  await vi.waitFor(() => expect(open()).toBe(8));
});

test("a token is good for one connection", async () => {
  const control = await dialControl();
  const opening = link.openContext(Language.PYTHON);
  await vi.waitFor(() => expect(control.requests[1]?.case).toBe("openContext"));
  const { token } = asked<linkpb.OpenContext>(control.requests, 1);
  await dial({ case: "streamToken", value: token });
  await opening;
  expect(await closed(await dial({ case: "streamToken", value: token }))).toBe(true);
});

test("hands on what an execution says, and its end", async () => {
  const { stream, socket } = await openContext();
  const execution = stream.run("print(1)", sink);
  tell(socket, { execution, event: { case: "stdout", value: Buffer.from("1\n") } });
  tell(socket, { execution, event: { case: "ended", value: { ending: linkpb.Ending.COMPLETED } } });
  await vi.waitFor(() => expect(sink.ended).toHaveBeenCalledWith(linkpb.Ending.COMPLETED, undefined));
  expect(Buffer.from(sink.output.mock.calls[0]?.[1])).toEqual(Buffer.from("1\n"));
});

test.each<[string, MessageInitShape<typeof linkpb.ContextEventSchema>[]]>([
  ["output of another execution", [{ execution: 9n, event: { case: "stdout", value: Buffer.from("x") } }]],
  ["an empty piece of output", [{ execution: 1n, event: { case: "stdout", value: Buffer.alloc(0) } }]],
  ["more than 64 KiB in one piece", [{ execution: 1n, event: { case: "stderr", value: Buffer.alloc(65_537) } }]],
  ["an event that does not exist", [{ execution: 1n }]],
  ["an end without an ending", [{ execution: 1n, event: { case: "ended", value: {} } }]],
  ["an ending that does not exist", [{ execution: 1n, event: { case: "ended", value: { ending: 77 as never } } }]],
  [
    "a second end",
    [
      { execution: 1n, event: { case: "ended", value: { ending: linkpb.Ending.COMPLETED } } },
      { execution: 1n, event: { case: "ended", value: { ending: linkpb.Ending.COMPLETED } } },
    ],
  ],
])("an agent that says %s has broken the rules", async (_, said) => {
  const { stream, socket, violated } = await openContext();
  stream.run("1", sink);
  for (const event of said) {
    tell(socket, event);
  }
  await vi.waitFor(() => expect(violated).toHaveBeenCalledOnce());
  expect(await closed(socket)).toBe(true);
});

test("makes the sandbox wait while it does not read", async () => {
  const { stream, socket } = await openContext();
  const execution = stream.run("…", sink);
  stream.pause();
  const event = { execution, event: { case: "stdout" as const, value: Buffer.alloc(60_000) } };
  for (let sent = 0; sent < 200; sent++) {
    tell(socket, event);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(socket.writableLength).toBeGreaterThan(0);
  stream.resume();
  await vi.waitFor(() => expect(sink.output).toHaveBeenCalledTimes(200));
});
