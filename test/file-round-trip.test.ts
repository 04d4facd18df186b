import { randomBytes } from "node:crypto";
import { FileType, MAX_INLINE_FILE_BYTES } from "@codemesh/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clients } from "./support/clients.js";
import { run } from "./support/executions.js";
import { chunk, chunksOf, header, pathsIn, read, sha256, type UploadPart, write } from "./support/files.js";
import { refusalOf } from "./support/refusals.js";
import { type OpenSession, openSession } from "./support/sessions.js";
import { until } from "./support/until.js";

const MIB = 1 << 20;

let session: OpenSession;

beforeAll(async () => {
  session = await openSession();
});

afterAll(() => session[Symbol.asyncDispose]());

describe("a file", () => {
  it("of 20 MB goes in and out with the same SHA-256", async () => {
    const content = randomBytes(20_000_000);
    const written = await write(session.name, "round-trip.bin", content, {
      sizeBytes: content.length,
      sha256: sha256(content),
    });
    const { stdout } = await run(
      session.name,
      'import hashlib; print(hashlib.sha256(open("round-trip.bin", "rb").read()).hexdigest())',
    );
    const download = await read(session.name, "round-trip.bin");

    expect(written.file).toMatchObject({ path: "round-trip.bin", type: FileType.REGULAR, sizeBytes: 20_000_000n });
    expect(hex(written.sha256)).toBe(hex(sha256(content)));
    expect(stdout.trim()).toBe(hex(sha256(content)));
    expect(hex(sha256(download.content))).toBe(hex(sha256(content)));
    expect(hex(download.end.sha256)).toBe(hex(sha256(content)));
    expect(download.end.sizeBytes).toBe(20_000_000n);
  });

  it("of exactly 100 MiB is accepted, in and out", async () => {
    const content = repeated(randomBytes(MIB), 100);

    const written = await write(session.name, "largest.bin", content);
    const download = await read(session.name, "largest.bin");

    expect(written.file?.sizeBytes).toBe(BigInt(MAX_INLINE_FILE_BYTES));
    expect(hex(sha256(download.content))).toBe(hex(sha256(content)));
    await clients().files.removeFile({ session: session.name, path: "largest.bin" });
  });

  it("of one byte more is refused as FILE_TOO_LARGE, announced or not, and does not appear", async () => {
    const content = repeated(randomBytes(MIB), 101).subarray(0, MAX_INLINE_FILE_BYTES + 1);

    for (const options of [{}, { sizeBytes: content.length }]) {
      const refusal = await refusalOf(write(session.name, "too-large.bin", content, options));
      expect(refusal).toMatchObject({ code: "InvalidArgument", reason: "FILE_TOO_LARGE" });
    }
    expect(await pathsIn(session.name)).not.toContain("too-large.bin");
  });

  it("that a program made larger than 100 MiB is read in parts", async () => {
    await run(session.name, 'with open("made.bin", "wb") as f: f.truncate((100 << 20) + 1)');

    expect(await refusalOf(read(session.name, "made.bin"))).toMatchObject({
      code: "InvalidArgument",
      reason: "FILE_TOO_LARGE",
    });
    expect((await read(session.name, "made.bin", { offset: 100 << 20 })).content).toHaveLength(1);
    await clients().files.removeFile({ session: session.name, path: "made.bin" });
  });

  it("may be empty, and its missing directories are made", async () => {
    await write(session.name, "deep/er/empty.txt", "");

    const { file, content } = await read(session.name, "deep/er/empty.txt");
    expect(file).toMatchObject({ path: "deep/er/empty.txt", sizeBytes: 0n });
    expect(content).toHaveLength(0);
  });

  it("is read from an offset on, up to a limit", async () => {
    await write(session.name, "digits.txt", "0123456789");

    expect((await read(session.name, "digits.txt", { offset: 3 })).content.toString()).toBe("3456789");
    expect((await read(session.name, "digits.txt", { limit: 2 })).content.toString()).toBe("01");
    const part = await read(session.name, "digits.txt", { offset: 8, limit: 50 });
    expect(part.content.toString()).toBe("89");
    expect(part.file.sizeBytes).toBe(10n);
    expect(hex(part.end.sha256)).toBe(hex(sha256(Buffer.from("89"))));
    expect(await refusalOf(read(session.name, "digits.txt", { offset: 11 }))).toMatchObject({
      code: "OutOfRange",
      reason: "OFFSET_PAST_END",
    });
  });
});

describe("an upload that fails", () => {
  const OLD = "the old content";

  async function leavesOldFile(path: string): Promise<void> {
    await until("nothing but the old file is there", async () => (await pathsIn(session.name, "kept")).length === 1);
    expect(await pathsIn(session.name, "kept")).toEqual([path]);
    expect((await read(session.name, path)).content.toString()).toBe(OLD);
    await clients().files.removeFile({ session: session.name, path: "kept", recursive: true });
  }

  it("halfway leaves the file that was there, and nothing else", async () => {
    await write(session.name, "kept/broken.bin", OLD);
    const breaking = new AbortController();
    async function* half(): AsyncGenerator<UploadPart> {
      yield header(session.name, "kept/broken.bin", { sizeBytes: 3 * MIB });
      yield* chunksOf(randomBytes(2 * MIB));
      setTimeout(() => breaking.abort(), 200);
      await new Promise((resolve) => breaking.signal.addEventListener("abort", resolve));
    }

    await expect(clients().files.writeFile(half(), { signal: breaking.signal })).rejects.toThrow();

    await leavesOldFile("kept/broken.bin");
  });

  it("for its checksum leaves the file that was there, and nothing else", async () => {
    await write(session.name, "kept/checksum.bin", OLD);

    const refusal = await refusalOf(
      write(session.name, "kept/checksum.bin", "new", { sha256: sha256(Buffer.from("other")) }),
    );

    expect(refusal).toMatchObject({ code: "InvalidArgument", reason: "CHECKSUM_MISMATCH" });
    await leavesOldFile("kept/checksum.bin");
  });

  it.each([2, 4])(
    "for its size (announced as %i) leaves the file that was there, and nothing else",
    async (sizeBytes) => {
      await write(session.name, "kept/size.bin", OLD);

      const refusal = await refusalOf(write(session.name, "kept/size.bin", "new", { sizeBytes }));

      expect(refusal).toMatchObject({ code: "InvalidArgument", reason: "SIZE_MISMATCH" });
      await leavesOldFile("kept/size.bin");
    },
  );

  it("for lack of a header is refused as HEADER_MISSING", async () => {
    async function* parts(): AsyncGenerator<UploadPart> {
      yield chunk(Buffer.from("content"));
    }
    async function* nothing(): AsyncGenerator<UploadPart> {}

    for (const upload of [parts(), nothing()]) {
      expect(await refusalOf(clients().files.writeFile(upload))).toMatchObject({
        code: "InvalidArgument",
        reason: "HEADER_MISSING",
      });
    }
  });
});

describe("a directory", () => {
  it("is listed by name in pages, and removed with everything in it only when asked", async () => {
    for (const name of ["b", "a", "c/inner", "ä"]) {
      await write(session.name, `listed/${name}`, name);
    }
    await run(session.name, 'import os; os.symlink("/etc/passwd", "listed/link")');

    const first = await clients().files.listFiles({ session: session.name, path: "listed", pageSize: 3 });
    const second = await clients().files.listFiles({
      session: session.name,
      path: "listed",
      pageSize: 3,
      pageToken: first.nextPageToken,
    });
    expect([...first.files, ...second.files].map(({ path, type }) => [path, FileType[type]])).toEqual([
      ["listed/a", "REGULAR"],
      ["listed/b", "REGULAR"],
      ["listed/c", "DIRECTORY"],
      ["listed/link", "SYMLINK"],
      ["listed/ä", "REGULAR"],
    ]);
    expect(second.nextPageToken).toBe("");

    const removal = { session: session.name, path: "listed" };
    expect(await refusalOf(clients().files.removeFile(removal))).toMatchObject({
      code: "FailedPrecondition",
      reason: "DIRECTORY_NOT_EMPTY",
    });
    await clients().files.removeFile({ ...removal, recursive: true });
    expect(await pathsIn(session.name)).not.toContain("listed");
    expect(await refusalOf(clients().files.removeFile(removal))).toMatchObject({
      code: "NotFound",
      reason: "FILE_NOT_FOUND",
    });
  });

  it("is no file, a file is no directory, and a link is not followed", async () => {
    await write(session.name, "kinds/file", "content");
    await run(session.name, 'import os; os.symlink("/etc/passwd", "kinds/link")');
    const { files } = clients();

    expect(await refusalOf(read(session.name, "kinds"))).toMatchObject({ reason: "NOT_A_FILE" });
    expect(await refusalOf(read(session.name, "kinds/link"))).toMatchObject({ reason: "NOT_A_FILE" });
    expect(await refusalOf(write(session.name, "kinds", "x"))).toMatchObject({ reason: "NOT_A_FILE" });
    expect(await refusalOf(write(session.name, "kinds/file/x", "x"))).toMatchObject({ reason: "NOT_A_DIRECTORY" });
    expect(await refusalOf(files.listFiles({ session: session.name, path: "kinds/file" }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "NOT_A_DIRECTORY",
    });
    expect(await refusalOf(read(session.name, "kinds/none"))).toMatchObject({
      code: "NotFound",
      reason: "FILE_NOT_FOUND",
    });
  });
});

describe("a path", () => {
  it.each([
    ["absolute", "/etc/passwd"],
    ["with .. in front", "../escape"],
    ["with .. inside", "a/../b"],
    ["with .", "./a"],
    ["with an empty part", "a//b"],
    ["with a slash at its end", "a/"],
    ["with a NUL", "a\0b"],
    ["with a part of 256 bytes", "ä".repeat(128)],
    ["of 4,097 bytes", `${"abcdefg/".repeat(512)}x`],
  ])("%s is refused as PATH_INVALID by every RPC", async (_, path) => {
    const { files } = clients();
    for (const call of [
      write(session.name, path, "x"),
      read(session.name, path),
      files.listFiles({ session: session.name, path }),
      files.removeFile({ session: session.name, path }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ code: "InvalidArgument", reason: "PATH_INVALID" });
    }
  });

  it("that is empty is refused as PATH_INVALID where it does not mean the workspace", async () => {
    for (const call of [
      write(session.name, "", "x"),
      read(session.name, ""),
      clients().files.removeFile({ session: session.name, path: "" }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ code: "InvalidArgument", reason: "PATH_INVALID" });
    }
    expect((await clients().files.listFiles({ session: session.name })).files).toBeDefined();
  });
});

function repeated(block: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => block));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
