import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { hasImage } from "./docker.js";
import { exists } from "./files.js";
import { installPackages } from "./packages.js";
import { messageOf, Problem } from "./problem.js";
import type { Progress } from "./progress.js";
import { commandPath, runCommand } from "./run-command.js";

/** What all our images start from. */
export const BASE_IMAGE = "debian:trixie-slim";

const SUITE = "trixie";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** A registry that has not answered by then is not going to. */
const PULL_LIMIT_MS = 60_000;
const FIRST_ANSWER_LIMIT_MS = 15_000;

/** Makes sure that the engine has the base image: pulled, or where no registry answers made from Debian's packages. */
export async function ensureBaseImage(docker: Docker, progress: Progress): Promise<void> {
  if (await hasImage(docker, BASE_IMAGE)) {
    return;
  }
  const failure = await progress.step(`Pulling ${BASE_IMAGE}`, async (detail) => {
    try {
      await pull(docker, detail);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  });
  if (failure !== undefined) {
    progress.note(`${BASE_IMAGE} cannot be pulled (${failure}); making it from Debian's packages instead.`);
    await bootstrap(docker, progress);
  }
}

async function pull(docker: Docker, detail: (text: string) => void): Promise<void> {
  const stop = AbortSignal.timeout(PULL_LIMIT_MS);
  const stream = await within(docker.pull(BASE_IMAGE), FIRST_ANSWER_LIMIT_MS);
  await new Promise<void>((resolve, reject) => {
    const giveUp = () => {
      (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
      reject(new Problem("the registry is too slow"));
    };
    stop.addEventListener("abort", giveUp, { once: true });
    docker.modem.followProgress(
      stream,
      (error) => {
        stop.removeEventListener("abort", giveUp);
        if (error === null || error === undefined) {
          resolve();
        } else {
          reject(error);
        }
      },
      (event: { status?: string; progress?: string }) => detail(`${event.status ?? ""} ${event.progress ?? ""}`),
    );
  });
}

async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Problem(`no registry answers within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same base, made with mmdebstrap, whose own package sources are those of Debian's image. */
async function bootstrap(docker: Docker, progress: Progress): Promise<void> {
  if (commandPath("mmdebstrap") === undefined || !exists(KEYRING)) {
    await installPackages(["mmdebstrap", "debian-archive-keyring"], progress);
  }
  const directory = mkdtempSync(join(tmpdir(), "codemesh-base-"));
  try {
    const archive = join(directory, "base.tar");
    await progress.step(`Making ${BASE_IMAGE} with mmdebstrap`, async (detail) => {
      const slim = ["doc/*", "man/*", "info/*", "locale/*"].map((path) => `--dpkgopt=path-exclude=/usr/share/${path}`);
      await runCommand(
        "mmdebstrap",
        [
          "--variant=minbase",
          "--include=ca-certificates",
          `--keyring=${KEYRING}`,
          ...slim,
          // As in Debian's own image: what is lost in a crash is built again.
          "--dpkgopt=force-unsafe-io",
          "--dpkgopt=path-include=/usr/share/doc/*/copyright",
          SUITE,
          archive,
        ],
        { onLine: detail },
      );
      detail("handing it to the engine");
      const [repo, tag] = BASE_IMAGE.split(":");
      await importArchive(docker, archive, { repo, tag, changes: ['CMD ["bash"]', "LABEL codemesh.base=mmdebstrap"] });
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function importArchive(docker: Docker, archive: string, options: object): Promise<void> {
  const stream = await docker.importImage(createReadStream(archive), options);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
