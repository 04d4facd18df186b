import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CodeSession, codeSession, Refusal } from "@codemesh/sdk";
import { type ComposeProject, type ComposeVariables, composeProject, prepareCompose } from "../compose.js";
import { containersOf, dockerAt, removeContainersOf } from "../docker.js";
import { readText } from "../files.js";
import { isServing } from "../health.js";
import { withLock } from "../lock.js";
import { homeFrom, type MeshPaths, makeDirectories, meshPaths } from "../paths.js";
import { freePort } from "../ports.js";
import { Problem } from "../problem.js";
import { readProgram } from "../program-file.js";
import { createProgress, type Progress } from "../progress.js";
import { inRepository } from "../repository.js";
import { runProgram } from "../run-program.js";

const UP_LIMIT_MS = 120_000;
const INSTANCE = "CODEMESH_INSTANCE";

/** `./mesh compose-smoke`: brings docker-compose.yml up in a project of its own, runs one file through it, takes it down. */
export async function composeSmoke(): Promise<number> {
  const userPaths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  makeDirectories(userPaths);
  const images = await withLock(userPaths.lock, progress, () => prepareCompose(userPaths, progress));

  const paths = meshPaths(mkdtempSync(join(tmpdir(), "codemesh-compose-")));
  const port = await freePort(0);
  const variables: ComposeVariables = {
    ...images,
    CODEMESH_COMPOSE_HOME: paths.home,
    CODEMESH_GATEWAY_PORT: String(port),
    [INSTANCE]: paths.home.split("-").at(-1) ?? "",
  };
  const compose = await composeProject(variables, progress);
  try {
    await progress.step("Bringing docker-compose.yml up", (detail) => compose(["up", "--detach"], detail));
    await progress.step("Waiting for its gateway", () => untilServing(`http://127.0.0.1:${port}`, paths));
    return await runQuickstart(`http://127.0.0.1:${port}`, paths, progress);
  } catch (error) {
    process.stderr.write(await compose(["logs", "--no-color", "--tail", "20"]));
    throw error;
  } finally {
    await takeDown(compose, variables, progress);
    rmSync(paths.home, { recursive: true, force: true });
  }
}

async function runQuickstart(address: string, paths: MeshPaths, progress: Progress): Promise<number> {
  const apiKey = readText(paths.key)?.trim() ?? "";
  await using session = await progress.step("Opening a session", () => openSession(address, apiKey));
  return await runProgram(session, readProgram(inRepository("examples", "quickstart.py")), {});
}

/** The executor says in the bus that it is there some time after the gateway serves. */
async function openSession(address: string, apiKey: string): Promise<CodeSession> {
  const deadline = performance.now() + UP_LIMIT_MS;
  for (;;) {
    try {
      return await codeSession({ address, apiKey });
    } catch (error) {
      if (!(error instanceof Refusal) || performance.now() >= deadline) {
        throw error;
      }
      await sleep(error.retryAfterMs ?? 500);
    }
  }
}

async function untilServing(url: string, paths: MeshPaths): Promise<void> {
  const deadline = performance.now() + UP_LIMIT_MS;
  while (readText(paths.key) === undefined || !(await isServing(url))) {
    if (performance.now() >= deadline) {
      throw new Problem(`The gateway of docker-compose.yml does not serve after ${UP_LIMIT_MS / 1000} s.`);
    }
    await sleep(200);
  }
}

async function takeDown(compose: ComposeProject, variables: ComposeVariables, progress: Progress): Promise<void> {
  await progress.step("Taking it down", (detail) => compose(["down", "--volumes", "--timeout", "30"], detail));
  const docker = dockerAt(`unix://${variables["CODEMESH_DOCKER_SOCKET"]}`);
  const instance = variables[INSTANCE] ?? "";
  const left = await containersOf(docker, instance);
  await removeContainersOf(docker, instance);
  if (left.length > 0) {
    throw new Problem(`The executor of docker-compose.yml left ${left.length} containers behind.`);
  }
}
