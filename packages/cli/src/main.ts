import { Command } from "commander";
import { readText } from "./files.js";
import { messageOf, Problem } from "./problem.js";
import { inRepository } from "./repository.js";

// The parts list of `./mesh`. Each command is loaded when it is called: a second `./mesh run` loads no Docker client.

const manifest = JSON.parse(readText(inRepository("package.json")) ?? "{}") as { version?: string };

const program = new Command("./mesh")
  .description("A self-hosted code interpreter: sandboxes for code, behind one gRPC address.")
  .version(manifest.version ?? "")
  .enablePositionalOptions()
  .showHelpAfterError("(./mesh --help shows the commands)");

program
  .command("run")
  .description("run a file in a fresh session and stream what it prints; starts the mesh if it is not up")
  .argument("<file>", "the program")
  .option("--language <language>", "what it is written in (by default what its name says)")
  .option("--timeout <seconds>", "end it after so many seconds")
  .option(
    "--file <local[:remote]>",
    "put a file into its working directory first; may be given several times",
    collect,
    [],
  )
  .action(async (file, options) => finish(await (await import("./commands/run.js")).run(file, options)));

program
  .command("up")
  .description("start what is missing: engine, image, NATS, services")
  .action(async () => finish(await (await import("./commands/up.js")).up()));

program
  .command("down")
  .description("stop it all and remove its containers; images and data stay")
  .action(async () => finish(await (await import("./commands/down.js")).down()));

program
  .command("status")
  .description("show what runs and where it answers")
  .option("--json", "for programs")
  .action(async (options) => finish(await (await import("./commands/status.js")).status(options)));

program
  .command("logs")
  .description("show the logs of one service or of all")
  .argument("[service]", "gateway, session-manager, executor, file-transfer, metering, nats or engine")
  .option("-f, --follow", "go on with what is added")
  .option("-n, --lines <count>", "how many lines of each", "40")
  .action(async (service, options) => finish(await (await import("./commands/logs.js")).logs(service, options)));

program
  .command("doctor")
  .description("check each prerequisite and say how to mend what is missing")
  .option("--json", "for programs")
  .action(async (options) => finish(await (await import("./commands/doctor.js")).doctor(options)));

program
  .command("key")
  .description("manage API keys")
  .command("create")
  .description("make an API key and print it, this once")
  .requiredOption("--tenant <tenant>", "whose sessions it opens")
  .option("--expires-in <seconds>", "how long it works (by default for ever)")
  .action(async (options) => finish(await (await import("./commands/key.js")).createKey(options)));

program
  .command("image")
  .description("build the image that sessions run in and print its tag")
  .action(async () => finish(await (await import("./commands/image.js")).image()));

program
  .command("test")
  .description("run all tests, on a mesh of their own")
  .argument("[vitest-arguments...]", "handed to vitest")
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (rest) => finish(await (await import("./commands/test.js")).test(rest)));

program
  .command("bench")
  .description("measure the mesh")
  .option("--json <file>", "write the numbers for programs")
  .action(async (options) => finish(await (await import("./commands/bench.js")).bench(options)));

program
  .command("init")
  .description("make the secrets of a mesh that something else runs; docker-compose.yml calls it")
  .option("--nats-listen <host:port>", "write the configuration of a NATS server that listens there")
  .option("--nats-url <url>", "make the API key, in that NATS server")
  .action(async (options) => finish(await (await import("./commands/init.js")).init(options)));

program
  .command("compose-init")
  .description("build the images that docker-compose.yml names and write its .env")
  .action(async () => finish(await (await import("./commands/compose-init.js")).composeInit()));

program
  .command("compose-smoke")
  .description("bring docker-compose.yml up, run one file through it and take it down")
  .action(async () => finish(await (await import("./commands/compose-smoke.js")).composeSmoke()));

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/** Connections and timers that are still open do not hold the command once its answer is there. */
function finish(exitCode: unknown): void {
  process.exitCode = typeof exitCode === "number" ? exitCode : 0;
  process.stdout.write("", () => process.exit());
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Problem)) {
    throw error;
  }
  process.stderr.write(`✗ ${messageOf(error)}\n${error.remedy === undefined ? "" : `  ${error.remedy}\n`}`);
  process.exit(1);
}
