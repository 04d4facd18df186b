import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { repeat, timeMs } from "./statistics.js";
import {
  delaysMs,
  FILE_BYTES,
  LIVE_SOURCE,
  type Measurements,
  megabytesPerSecond,
  STREAM_SOURCE,
  TIMES,
} from "./steps.js";

// The same steps as one does them by hand, with the same image on the same engine: a container that sleeps, and a new
// python3 for each thing to run.

/** The least that a session is ready for: the data stack imported. */
const READY_SOURCE = "import pandas, matplotlib";

/** Every step with the docker command line. `image` is the runtime image. */
export async function measureDocker(image: string, report: (step: string) => void): Promise<Measurements> {
  report("docker run");
  const create = await repeat(TIMES.create, () =>
    timeMs(() => docker(["run", "--rm", ...BARE, "--entrypoint", "python3", image, "-c", READY_SOURCE])),
  );
  const started = await docker(["run", "--detach", "--rm", ...BARE, "--entrypoint", "sleep", image, "infinity"]);
  const container = started.toString().trim();
  try {
    return { "CreateSession, cold": create, ...(await measureIn(container, report)) };
  } finally {
    await docker(["rm", "--force", container]);
  }
}

const BARE = ["--network", "none", "--tmpfs", "/tmp", "--workdir", "/tmp"];

async function measureIn(container: string, report: (step: string) => void): Promise<Measurements> {
  const python = (source: string) => ["exec", container, "python3", "-c", source];
  report("docker exec 1+1");
  const execute = await repeat(TIMES.dockerExecute, () => timeMs(() => docker(python("print(1+1)"))));
  report("docker exec, live output");
  const live: number[] = [];
  await docker(python(LIVE_SOURCE), {
    onChunk: (chunk) => live.push(...delaysMs(chunk.toString())),
  });
  report("docker exec, output");
  const stream = await repeat(TIMES.stream, async () => {
    let bytes = 0;
    let startMs = 0;
    let endMs = 0;
    await docker(python(STREAM_SOURCE), {
      onChunk: (chunk) => {
        startMs ||= performance.now();
        endMs = performance.now();
        bytes += chunk.length;
      },
    });
    return megabytesPerSecond(bytes, endMs - startMs);
  });
  report("docker exec, 20 MB in and out");
  const content = randomBytes(FILE_BYTES);
  const upload = await repeat(TIMES.transfer, () =>
    rate(() => docker(["exec", "--interactive", container, "sh", "-c", "cat > /tmp/bench.bin"], { input: content })),
  );
  const download = await repeat(TIMES.transfer, () => rate(() => docker(["exec", container, "cat", "/tmp/bench.bin"])));
  return {
    "Execute 1+1": execute,
    "printed to received, once a second": live,
    "print to client": stream,
    "20 MB upload": upload,
    "20 MB download": download,
  };
}

async function rate(transfer: () => Promise<unknown>): Promise<number> {
  return megabytesPerSecond(FILE_BYTES, await timeMs(transfer));
}

interface DockerOptions {
  readonly input?: Uint8Array;
  /** Takes the output piece by piece instead of collecting it. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/** Runs the docker command line to its end and returns its output; throws with its complaint when it fails. */
function docker(args: readonly string[], { input, onChunk }: DockerOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    const complaint: Buffer[] = [];
    child.stdout?.on("data", onChunk ?? ((chunk: Buffer) => output.push(chunk)));
    child.stderr?.on("data", (chunk: Buffer) => complaint.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) {
        resolve(Buffer.concat(output));
      } else {
        reject(new Error(`docker ${args.join(" ")} failed: ${Buffer.concat(complaint).toString().trim()}`));
      }
    });
    child.stdin?.end(input);
  });
}
