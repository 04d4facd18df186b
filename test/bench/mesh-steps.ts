import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type CodemeshClient, type CodeSession, codeSession } from "@codemesh/sdk";
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

/**
 * Every step on a mesh with a warm pool. `refillMs` is how long the pool may take to fill again between two sessions; no
 * RPC tells when it has.
 */
export async function measureMesh(
  client: CodemeshClient,
  refillMs: number,
  report: (step: string) => void,
): Promise<Measurements> {
  report("CreateSession, warm");
  const warm = await repeat(TIMES.create, async () => {
    await sleep(refillMs);
    return await createMs(client);
  });
  await using session = await codeSession({ client });
  report("Execute 1+1");
  await session.runToEnd("1+1");
  const execute = await repeat(TIMES.execute, () => timeMs(() => session.runToEnd("1+1")));
  report("live output");
  const live = await liveDelaysMs(session);
  report("print to client");
  const stream = await repeat(TIMES.stream, () => streamRate(session));
  report("20 MB upload and download");
  const content = randomBytes(FILE_BYTES);
  const upload = await repeat(TIMES.transfer, () => rate(() => session.files.write("bench.bin", content)));
  const download = await repeat(TIMES.transfer, () => rate(() => session.files.read("bench.bin")));
  return {
    "CreateSession, warm": warm,
    "Execute 1+1": execute,
    "printed to received, once a second": live,
    "print to client": stream,
    "20 MB upload": upload,
    "20 MB download": download,
  };
}

/** The creation of sessions on a mesh without a warm pool, ms each. */
export function measureColdCreates(client: CodemeshClient): Promise<number[]> {
  return repeat(TIMES.create, () => createMs(client));
}

async function createMs(client: CodemeshClient): Promise<number> {
  const startMs = performance.now();
  await using _session = await codeSession({ client });
  return performance.now() - startMs;
}

async function liveDelaysMs(session: CodeSession): Promise<number[]> {
  const delays: number[] = [];
  for await (const event of session.run(LIVE_SOURCE)) {
    if (event.type === "stdout") {
      delays.push(...delaysMs(event.text));
    }
  }
  return delays;
}

/** From the first byte to the last, as the client sees them. */
async function streamRate(session: CodeSession): Promise<number> {
  let bytes = 0;
  let startMs = 0;
  let endMs = 0;
  for await (const event of session.run(STREAM_SOURCE)) {
    if (event.type === "started") {
      startMs = performance.now();
    } else if (event.type === "stdout") {
      bytes += event.data.length;
      endMs = performance.now();
    }
  }
  return megabytesPerSecond(bytes, endMs - startMs);
}

async function rate(transfer: () => Promise<unknown>): Promise<number> {
  return megabytesPerSecond(FILE_BYTES, await timeMs(transfer));
}
