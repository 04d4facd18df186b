import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { drained, frames, MAX_FRAME_BYTES, writeChunk, writeFrame } from "@codemesh/link";
import { afterEach, beforeEach, expect, test } from "vitest";
import { send } from "./download.js";
import { receive } from "./upload.js";

const { DownloadPartSchema, FileFailureReason, OpenDownloadSchema, TransferEndSchema, UploadPartSchema } = linkpb;
const CHUNK_BYTES = 200_000;

let directory: string;
let workspace: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "transfer-"));
  workspace = join(directory, "workspace");
  mkdirSync(workspace);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The two ends of a connection. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  const path = join(directory, `${randomBytes(4).toString("hex")}.sock`);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const dialled = connect(path);
  const pair: [Socket, Socket] = [dialled, await accepted];
  server.close();
  for (const socket of pair) {
    socket.on("error", () => socket.destroy());
  }
  return pair;
}

async function upload(path: string, content: Buffer, sha256 = createHash("sha256").update(content).digest()) {
  const [agent, executor] = await socketPair();
  const received = receive(agent, path, workspace);
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    const chunk = content.subarray(at, at + CHUNK_BYTES);
    if (!writeChunk(executor, UploadPartSchema, create(UploadPartSchema), "chunk", chunk)) {
      await drained(executor);
    }
  }
  const end = { sizeBytes: BigInt(content.length), sha256 };
  writeFrame(executor, UploadPartSchema, create(UploadPartSchema, { part: { case: "end", value: end } }));
  for await (const { result } of frames(executor, TransferEndSchema, MAX_FRAME_BYTES)) {
    executor.end();
    await received;
    return result.case === "failure" ? FileFailureReason[result.value.reason] : result.value?.sizeBytes;
  }
  return undefined;
}

async function download(path: string, offset = 0n, limit = 1n << 40n): Promise<Buffer | string> {
  const [agent, executor] = await socketPair();
  const sent = send(agent, create(OpenDownloadSchema, { path, offset, limit }), workspace);
  const chunks: Uint8Array[] = [];
  for await (const { part } of frames(executor, DownloadPartSchema, MAX_FRAME_BYTES)) {
    if (part.case === "chunk") {
      chunks.push(part.value);
    } else if (part.case === "failure") {
      return FileFailureReason[part.value.reason];
    }
  }
  await sent;
  return Buffer.concat(chunks);
}

test("a file comes in whole, with the directories it lies in, and goes out the same", async () => {
  const content = randomBytes(3_000_001);
  expect(await upload("a/b/file", content)).toBe(3_000_001n);
  expect(readFileSync(join(workspace, "a/b/file")).equals(content)).toBe(true);
  expect(content.equals((await download("a/b/file")) as Buffer)).toBe(true);
  expect(await upload("empty", Buffer.alloc(0))).toBe(0n);
  expect(await download("empty")).toEqual(Buffer.alloc(0));
});

test("a file with another checksum leaves the one that was there, and nothing else", async () => {
  writeFileSync(join(workspace, "file"), "old");
  expect(await upload("file", randomBytes(500_000), randomBytes(32))).toBe("CHECKSUM_MISMATCH");
  expect(readFileSync(join(workspace, "file"), "utf8")).toBe("old");
  expect(readdirSync(workspace)).toEqual(["file"]);
});

test("an upload that breaks off leaves nothing", async () => {
  const [agent, executor] = await socketPair();
  const received = receive(agent, "file", workspace);
  writeChunk(executor, UploadPartSchema, create(UploadPartSchema), "chunk", randomBytes(1000), () =>
    executor.destroy(),
  );
  await received;
  expect(readdirSync(workspace)).toEqual([]);
});

test("what is no regular file is neither replaced nor read", async () => {
  mkdirSync(join(workspace, "directory"));
  writeFileSync(join(workspace, "file"), "content");
  symlinkSync("file", join(workspace, "link"));
  for (const path of ["directory", "link"]) {
    expect([await upload(path, Buffer.from("x")), await download(path)]).toEqual(["NOT_A_FILE", "NOT_A_FILE"]);
  }
  expect(await upload("file/below", Buffer.from("x"))).toBe("NOT_A_DIRECTORY");
  expect(await download("none")).toBe("NOT_FOUND");
});

test("a part of a file is sent from its offset to its limit", async () => {
  writeFileSync(join(workspace, "file"), "0123456789");
  expect((await download("file", 3n, 4n)).toString()).toBe("3456");
  expect((await download("file", 10n)).toString()).toBe("");
  expect(await download("file", 11n)).toBe("PAST_END");
});
