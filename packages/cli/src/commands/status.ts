import { isServing } from "../health.js";
import { NATS_PROCESS } from "../nats-server.js";
import { ENGINE_PROCESS } from "../own-engine.js";
import { homeFrom, meshPaths } from "../paths.js";
import { isRunning, readRecord } from "../processes.js";
import { SERVICES } from "../services.js";
import { readState } from "../state.js";
import { versions } from "../versions.js";

interface ProcessStatus {
  readonly name: string;
  readonly running: boolean;
  /** grpc.health.v1 of the services; whether it runs, of the others. */
  readonly serving: boolean;
  readonly pid: number;
  readonly address: string;
  readonly logFile: string;
}

/** `./mesh status`: what runs, where it answers and where its log is. Exits with 1 when the mesh is not up. */
export async function status(options: { readonly json?: boolean }): Promise<number> {
  const paths = meshPaths(homeFrom(process.env));
  const state = readState(paths);
  const processes = (
    await Promise.all(
      [...SERVICES.toReversed(), NATS_PROCESS, ENGINE_PROCESS].map(async (name) => await processStatus(name)),
    )
  ).filter((process) => process !== undefined);
  const needed = [...SERVICES, NATS_PROCESS];
  const up = needed.every((name) => processes.some((process) => process.name === name && process.serving));
  if (options.json === true) {
    const report = {
      up,
      home: paths.home,
      ...(state === undefined
        ? {}
        : {
            gateway: state.gatewayUrl,
            keyFile: paths.key,
            nats: state.natsUrl,
            dockerHost: state.dockerHost,
            runtimeImage: state.runtimeImage,
            instance: state.instance,
          }),
      processes,
      versions: await versions(state?.dockerHost),
    };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return up ? 0 : 1;
  }
  const lines = [
    up ? "The mesh is up." : "The mesh is not up; ./mesh up starts it.",
    "",
    ...(state === undefined
      ? []
      : [
          `gateway        ${state.gatewayUrl}`,
          `API key        ${paths.key}`,
          `engine         ${state.dockerHost}`,
          `runtime image  ${state.runtimeImage}`,
        ]),
    `data           ${paths.home}`,
    `versions       ${Object.entries(await versions(state?.dockerHost))
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
    "",
    ...processes.map(
      ({ name, running, serving, pid, address, logFile }) =>
        `${(serving ? "✓ " : "✗ ") + name.padEnd(16)}${running ? String(pid).padEnd(9) : "stopped  "}${address.padEnd(24)} ${logFile}`,
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return up ? 0 : 1;

  async function processStatus(name: string): Promise<ProcessStatus | undefined> {
    const record = readRecord(paths, name);
    if (record === undefined) {
      return undefined;
    }
    const running = isRunning(record);
    const isService = (SERVICES as readonly string[]).includes(name);
    const serving = running && (!isService || (await isServing(record.address)));
    const { pid, address, logFile } = record;
    return { name, running, serving, pid, address, logFile };
  }
}
