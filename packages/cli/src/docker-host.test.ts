import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findEngine, isNewEnough, socketFrom } from "./docker-host.js";
import { meshPaths } from "./paths.js";
import { Problem } from "./problem.js";

let directory: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "engine-"));
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function engineAt(socket: string, apiVersion: string): Promise<void> {
  server = createServer((_request, response) => response.setHeader("api-version", apiVersion).end("OK"));
  await new Promise<void>((resolve) => server?.listen(socket, resolve));
}

test("an API version is compared number by number", () => {
  expect(["1.41", "1.100", "2.0"].every(isNewEnough)).toBe(true);
  expect(["1.40", "1.9", "0.99"].some(isNewEnough)).toBe(false);
});

test("only a unix socket is an engine on this machine", () => {
  expect(socketFrom("unix:///run/docker.sock")).toBe("/run/docker.sock");
  expect(socketFrom("tcp://127.0.0.1:2375")).toBeUndefined();
});

test("the engine that DOCKER_HOST names is used", async () => {
  const socket = join(directory, "docker.sock");
  await engineAt(socket, "1.47");
  const found = await findEngine(meshPaths(directory), { DOCKER_HOST: `unix://${socket}` });
  expect(found).toEqual({ dockerHost: `unix://${socket}`, apiVersion: "1.47", own: false });
});

test("a DOCKER_HOST that does not answer, is too old or is elsewhere is a problem, not passed over", async () => {
  const socket = join(directory, "docker.sock");
  const paths = meshPaths(directory);
  await expect(findEngine(paths, { DOCKER_HOST: `unix://${socket}` })).rejects.toThrow("No Docker Engine answers");
  await expect(findEngine(paths, { DOCKER_HOST: "tcp://10.0.0.1:2375" })).rejects.toThrow(Problem);
  await engineAt(socket, "1.24");
  await expect(findEngine(paths, { DOCKER_HOST: `unix://${socket}` })).rejects.toThrow("1.41 or newer is needed");
});
