import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentTag, contextStream, directoryEntries } from "./image-context.js";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "context-"));
  mkdirSync(join(directory, "python"));
  writeFileSync(join(directory, "Dockerfile"), "FROM debian:trixie-slim\n");
  writeFileSync(join(directory, "python", "kernel.py"), "print(1)\n");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const entries = () => [
  { name: "Dockerfile", source: join(directory, "Dockerfile") },
  ...directoryEntries("python", join(directory, "python")),
];

test("the tag is the same for the same inputs, in whatever order they are named", () => {
  expect(contentTag("a/b", entries())).toMatch(/^a\/b:[0-9a-f]{12}$/);
  expect(contentTag("a/b", entries().reverse())).toBe(contentTag("a/b", entries()));
});

test("the tag changes with the content, the name and the mode of an input", () => {
  const before = contentTag("a/b", entries());
  const renamed = entries().map((entry) => ({ ...entry, name: `x${entry.name}` }));
  const executable = entries().map((entry) => ({ ...entry, executable: true }));
  writeFileSync(join(directory, "python", "kernel.py"), "print(2)\n");
  const tags = [before, contentTag("a/b", entries()), contentTag("a/b", renamed), contentTag("a/b", executable)];
  expect(new Set(tags).size).toBe(4);
});

test("an entry with a version is not read for the tag", () => {
  const big = { name: "node", source: join(directory, "missing"), version: "24.1.0" };
  expect(contentTag("a/b", [big])).not.toBe(contentTag("a/b", [{ ...big, version: "24.2.0" }]));
});

test("the context holds every entry under its name", async () => {
  const chunks: Buffer[] = [];
  for await (const chunk of contextStream(entries())) {
    chunks.push(chunk as Buffer);
  }
  const archive = Buffer.concat(chunks).toString("latin1");
  expect(archive).toContain("Dockerfile");
  expect(archive).toContain("python/kernel.py");
  expect(archive).toContain("print(1)");
});
