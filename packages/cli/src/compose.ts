import { randomBytes } from "node:crypto";
import { ensureImage } from "./build-image.js";
import { dockerAt } from "./docker.js";
import { socketFrom } from "./docker-host.js";
import { installPackages } from "./packages.js";
import type { MeshPaths } from "./paths.js";
import { prepareEngine } from "./prepare.js";
import type { Progress } from "./progress.js";
import { inRepository } from "./repository.js";
import { commandPath, runCommand } from "./run-command.js";
import { runtimeImage } from "./runtime-image.js";
import { servicesImage } from "./services-image.js";

/** The variables that docker-compose.yml is read with. */
export type ComposeVariables = Readonly<Record<string, string>>;

/** Builds the images that docker-compose.yml names; returns the variables that name them and the engine. */
export async function prepareCompose(paths: MeshPaths, progress: Progress): Promise<ComposeVariables> {
  const engine = await prepareEngine(paths, progress);
  const docker = dockerAt(engine.dockerHost);
  const builds = { CODEMESH_RUNTIME_IMAGE: runtimeImage(), CODEMESH_SERVICES_IMAGE: servicesImage() };
  for (const build of Object.values(builds)) {
    await ensureImage(docker, build, progress);
  }
  return {
    CODEMESH_RUNTIME_IMAGE: builds.CODEMESH_RUNTIME_IMAGE.tag,
    CODEMESH_SERVICES_IMAGE: builds.CODEMESH_SERVICES_IMAGE.tag,
    CODEMESH_DOCKER_SOCKET: socketFrom(engine.dockerHost) ?? "",
  };
}

/** Runs `compose` with these arguments on one project, a set of containers and networks, and returns its output. */
export type ComposeProject = (commandArguments: readonly string[], onLine?: (line: string) => void) => Promise<string>;

/** A new project with a name of its own; Compose is installed by apt when it is missing. */
export async function composeProject(variables: ComposeVariables, progress: Progress): Promise<ComposeProject> {
  const [command = "", ...first] = await composeCommand(progress);
  const name = `codemesh-${randomBytes(4).toString("hex")}`;
  const fixed = [...first, "--project-name", name, "--file", inRepository("docker-compose.yml")];
  const env = { ...process.env, ...variables, DOCKER_HOST: `unix://${variables["CODEMESH_DOCKER_SOCKET"]}` };
  return async (commandArguments, onLine) =>
    await runCommand(command, [...fixed, ...commandArguments], { env, ...(onLine === undefined ? {} : { onLine }) });
}

/** Compose as the Docker CLI has it today, else as Debian 12 packages it. */
async function composeCommand(progress: Progress): Promise<string[]> {
  if (commandPath("docker") !== undefined) {
    try {
      await runCommand("docker", ["compose", "version"]);
      return ["docker", "compose"];
    } catch {
      // This Docker CLI is without the plugin.
    }
  }
  if (commandPath("docker-compose") === undefined) {
    await installPackages(["docker-compose"], progress);
  }
  return ["docker-compose"];
}
