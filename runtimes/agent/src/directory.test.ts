import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { FileType, linkpb } from "@codemesh/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listDirectory, removeEntry } from "./directory.js";
import { UNFINISHED_PREFIX } from "./workspace-file.js";

let workspace: string;

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "workspace-"));
});

afterEach(() => rmSync(workspace, { recursive: true, force: true }));

async function list(path: string, limit = 100, after = "") {
  const { files, more } = await listDirectory(create(linkpb.ListDirectorySchema, { path, limit, after }), workspace);
  return { paths: files.map((file) => file.path), types: files.map((file) => file.type), more };
}

function remove(path: string, recursive: boolean): Promise<void> {
  return removeEntry(create(linkpb.RemoveEntrySchema, { path, recursive }), workspace);
}

test("lists by name, byte by byte, a page at a time", async () => {
  for (const name of ["b", "a", "Z", "é", "10", "9"]) {
    writeFileSync(join(workspace, name), "");
  }
  expect((await list("")).paths).toEqual(["10", "9", "Z", "a", "b", "é"]);
  expect(await list("", 2)).toMatchObject({ paths: ["10", "9"], more: true });
  expect(await list("", 2, "9")).toMatchObject({ paths: ["Z", "a"], more: true });
  expect(await list("", 2, "a")).toMatchObject({ paths: ["b", "é"], more: false });
});

test("says what each entry is, and follows no link", async () => {
  mkdirSync(join(workspace, "d/inner"), { recursive: true });
  writeFileSync(join(workspace, "d/file"), "12345");
  symlinkSync("inner", join(workspace, "d/link"));
  expect(await list("d")).toMatchObject({
    paths: ["d/file", "d/inner", "d/link"],
    types: [FileType.REGULAR, FileType.DIRECTORY, FileType.SYMLINK],
  });
  await expect(list("d/link")).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(list("d/file")).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(list("none")).rejects.toMatchObject({ code: "ENOENT" });
});

test("does not show a file that is still on its way in, and shows a name that is no text", async () => {
  writeFileSync(join(workspace, `${UNFINISHED_PREFIX}1`), "");
  writeFileSync(Buffer.concat([Buffer.from(`${workspace}/`), Buffer.of(0xff)]), "");
  expect((await list("")).paths).toEqual(["\ufffd"]);
});

test("removes a directory with its content only when asked to, and a link instead of what it leads to", async () => {
  mkdirSync(join(workspace, "d/inner"), { recursive: true });
  symlinkSync("d", join(workspace, "link"));
  await expect(remove("d", false)).rejects.toMatchObject({ code: "ENOTEMPTY" });
  await remove("link", true);
  expect(readdirSync(workspace)).toEqual(["d"]);
  await remove("d", true);
  expect(readdirSync(workspace)).toEqual([]);
  await expect(remove("d", true)).rejects.toMatchObject({ code: "ENOENT" });
});
