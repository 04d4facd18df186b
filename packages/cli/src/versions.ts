import { request } from "node:http";
import { socketFrom } from "./docker-host.js";
import { readText } from "./files.js";
import { natsVersion } from "./nats-server.js";
import { inRepository } from "./repository.js";
import { commandPath } from "./run-command.js";

/** Versions of what a mesh is made of; what is not there is absent. */
export interface Versions {
  readonly codemesh: string;
  readonly node: string;
  readonly docker?: string;
  readonly nats?: string;
}

/** The versions in use: of this checkout, this process, the engine at `unix:///path` and the nats-server on the PATH. */
export async function versions(dockerHost: string | undefined): Promise<Versions> {
  const manifest = JSON.parse(readText(inRepository("package.json")) ?? "{}") as { version?: string };
  const docker = dockerHost === undefined ? undefined : await engineVersion(dockerHost);
  const natsCommand = commandPath("nats-server");
  const nats = natsCommand === undefined ? undefined : await natsVersion(natsCommand);
  return {
    codemesh: manifest.version ?? "",
    node: process.versions.node,
    ...(docker === undefined ? {} : { docker }),
    ...(nats === undefined ? {} : { nats }),
  };
}

/** The version of an engine, `20.10.24`, or `undefined` when it does not answer. */
export function engineVersion(dockerHost: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath: socketFrom(dockerHost), path: "/version", timeout: 5_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => {
        try {
          resolve((JSON.parse(text) as { Version?: string }).Version);
        } catch {
          resolve(undefined);
        }
      });
    });
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", () => resolve(undefined));
    call.end();
  });
}
