import type Docker from "dockerode";
import { ensureBaseImage } from "./base-image.js";
import { hasImage } from "./docker.js";
import { type ContextEntry, contextStream } from "./image-context.js";
import { messageOf, Problem } from "./problem.js";
import type { Progress } from "./progress.js";
import { splitLines } from "./run-command.js";

const SHOWN_LINES = 30;

/** One image to be built from a context with a Dockerfile at its root. */
export interface ImageBuild {
  /** What it is, for people. */
  readonly title: string;
  readonly tag: string;
  readonly entries: readonly ContextEntry[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Builds an image unless the engine has one with that tag. Returns whether it was built. */
export async function ensureImage(docker: Docker, build: ImageBuild, progress: Progress): Promise<boolean> {
  if (await hasImage(docker, build.tag)) {
    return false;
  }
  await ensureBaseImage(docker, progress);
  await progress.step(`Building ${build.title} ${build.tag}`, async (detail) => {
    if (await hasBridge(docker)) {
      try {
        await buildOnce(docker, build, "default", detail);
        return;
      } catch (error) {
        // A bridge may lead nowhere; the host's own network is what apt reached before.
        progress.note(`The build failed on the engine's bridge (${firstLine(error)}); trying the host's network.`);
      }
    }
    await buildOnce(docker, build, "host", detail);
  });
  return true;
}

/** Our own engine has no bridge. */
async function hasBridge(docker: Docker): Promise<boolean> {
  const networks = await docker.listNetworks({ filters: { driver: ["bridge"], name: ["bridge"] } });
  return networks.some((network) => network.Name === "bridge");
}

async function buildOnce(
  docker: Docker,
  build: ImageBuild,
  network: string,
  detail: (text: string) => void,
): Promise<void> {
  const stream = await docker.buildImage(contextStream(build.entries), {
    t: build.tag,
    labels: { ...build.labels },
    networkmode: network,
    rm: true,
    forcerm: true,
  });
  const tail: string[] = [];
  let step = "";
  const onLine = splitLines((line) => {
    tail.push(line);
    if (tail.length > SHOWN_LINES) {
      tail.shift();
    }
    step = /^Step (\d+\/\d+)/.exec(line)?.[1] ?? step;
    detail(`${step} ${line.replace(/^Step \S+ : /, "")}`);
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => {
        if (error === null || error === undefined) {
          resolve();
        } else {
          reject(new Problem(`${build.title} could not be built: ${messageOf(error)}\n${tail.join("\n")}`));
        }
      },
      (event: { stream?: string; status?: string }) => onLine(event.stream ?? `${event.status ?? ""}\n`),
    );
  });
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
