import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { ImageBuild } from "./build-image.js";
import { exists, readText } from "./files.js";
import { type ContextEntry, contentTag, directoryEntries } from "./image-context.js";
import { Problem } from "./problem.js";
import { inRepository, REPOSITORY } from "./repository.js";
import { nodeBinary } from "./runtime-image.js";

/** What docker-compose.yml runs the services from, as it is to be built from this checkout. */
export function servicesImage(): ImageBuild {
  const entries: ContextEntry[] = [
    { name: "Dockerfile", source: inRepository("deploy", "services.Dockerfile") },
    nodeBinary("node"),
    { name: "app/package.json", source: inRepository("package.json") },
    ...[...productionPackages()].flatMap(packageEntries),
  ];
  return {
    title: "the image of the services",
    tag: contentTag("codemesh/services", entries),
    entries,
    labels: { "codemesh.services": "1" },
  };
}

/** The directories of the services, the CLI, and every package that one of them needs when it runs. */
function productionPackages(): Set<string> {
  const services = readdirSync(inRepository("services")).map((name) => inRepository("services", name));
  const found = new Set<string>();
  const visit = (directory: string) => {
    if (found.has(directory)) {
      return;
    }
    found.add(directory);
    const manifest = JSON.parse(readText(join(directory, "package.json")) ?? "{}") as {
      dependencies?: Record<string, string>;
    };
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      visit(resolvePackage(directory, name));
    }
  };
  for (const directory of [...services, inRepository("packages", "cli")]) {
    visit(directory);
  }
  return found;
}

/** Where Node finds a package from a directory: in the nearest node_modules that has it. */
function resolvePackage(from: string, name: string): string {
  for (let directory = from; directory.startsWith(REPOSITORY); directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", name);
    if (exists(candidate)) {
      return candidate;
    }
  }
  throw new Problem(`The package ${name} is not installed.`, "Run npm install.");
}

function packageEntries(directory: string): ContextEntry[] {
  const name = `app/${relative(REPOSITORY, directory)}`;
  const workspace = /^app\/node_modules\/@codemesh\/(.+)$/.exec(name)?.[1];
  if (workspace !== undefined) {
    // npm links workspaces; the image gets the link and what it points to.
    return [{ name, source: directory }, ...compiledEntries(`packages/${workspace}`)];
  }
  return name.startsWith("app/node_modules/")
    ? directoryEntries(name, directory, isNeededToRun)
    : compiledEntries(relative(REPOSITORY, directory));
}

function compiledEntries(path: string): ContextEntry[] {
  return [
    { name: `app/${path}/package.json`, source: inRepository(path, "package.json") },
    ...directoryEntries(`app/${path}/dist`, inRepository(path, "dist"), isNeededToRun),
  ];
}

function isNeededToRun(path: string): boolean {
  return !/(\/node_modules|\.map|\.d\.[cm]?ts|\.ts|\.md|\.tsbuildinfo)$/.test(path);
}
