import { type CodeSession, codeSession, Refusal } from "@codemesh/sdk";
import { readText } from "../files.js";
import { homeFrom, meshPaths } from "../paths.js";
import { Problem } from "../problem.js";
import { dataFileFrom, languageOf, readBytes, readProgram, timeoutMsFrom } from "../program-file.js";
import { createProgress } from "../progress.js";
import { runProgram } from "../run-program.js";
import { runningMesh } from "../running-mesh.js";
import { runtimeImage } from "../runtime-image.js";
import type { MeshState } from "../state.js";

/** A session without a timeout of its program's lives as long as the mesh lets one live by default, ms. */
const DEFAULT_LIFE_MS = 900_000;
const MAX_LIFE_MS = 28_800_000;
/** For uploads, before the program's own time begins. */
const SPARE_MS = 60_000;

interface RunFlags {
  readonly language?: string;
  readonly timeout?: string;
  readonly file: readonly string[];
}

/** `./mesh run FILE`: runs it in a fresh session and returns its exit code. Only its own output goes to stdout. */
export async function run(path: string, flags: RunFlags): Promise<number> {
  const source = readProgram(path);
  const language = languageOf(path, flags.language);
  const timeoutMs = flags.timeout === undefined ? undefined : timeoutMsFrom(flags.timeout);
  const files = flags.file.map(dataFileFrom).map((file) => ({ ...file, content: readBytes(file.local) }));
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  const mesh =
    (await runningMesh(paths, runtimeImage().tag)) ?? (await (await import("../up.js")).bringUp(paths, progress));
  try {
    await using session = await progress.step("Opening a session", () => openSession(mesh, paths.key, timeoutMs));
    for (const { local, remote, content } of files) {
      await progress.step(`Uploading ${local}`, () => session.files.write(remote, content));
    }
    return await runProgram(session, source, { language, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  } catch (error) {
    if (error instanceof Refusal) {
      throw new Problem(error.message, `The mesh refused it: ${error.reason}. ./mesh status shows how it is.`);
    }
    throw error;
  }
}

async function openSession(mesh: MeshState, keyFile: string, timeoutMs: number | undefined): Promise<CodeSession> {
  const apiKey = readText(keyFile)?.trim();
  if (apiKey === undefined) {
    throw new Problem(`The API key ${keyFile} is not there.`, "./mesh up makes one.");
  }
  return await codeSession({
    address: mesh.gatewayUrl,
    apiKey,
    timeoutMs: Math.min(MAX_LIFE_MS, Math.max(DEFAULT_LIFE_MS, (timeoutMs ?? 0) + SPARE_MS)),
  });
}
