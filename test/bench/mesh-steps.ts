import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type CodemeshClient, type CodeSession, codeSession } from "@codemesh/sdk";
import { repeat, timeMs } from "./statistics.js";
import { FILE_BYTES, LIVE_SOURCE, type Measurements, megabytesPerSecond, STREAM_SOURCE, TIMES } from "./steps.js";

/** Time for the warm pool to fill again, which happens beside the calls, ms. */
const REFILL_MS = 4_000;

/** Every step on a mesh with a warm pool. */
export async function measureMesh(client: CodemeshClient, report: (step: string) => void): Promise<Measurements> {
  report("CreateSession, warm");
  const warm = await repeat(TIMES.create, async () => {
    await sleep(REFILL_MS);
    return await createMs(client);
  });
  await using session = await codeSession({ client });
  report("Execute 1+1");
  await session.runToEnd("1+1");
  const execute = await repeat(TIMES.execute, () => timeMs(() => session.runToEnd("1+1")));
  report("live output");
  const live = (await repeatLists(TIMES.live, () => liveDelaysMs(session))).flat();
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
      delays.push(Date.now() - Number(event.text.trim()) * 1000);
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

async function repeatLists(times: number, measure: () => Promise<number[]>): Promise<number[][]> {
  const lists: number[][] = [];
  for (let count = 0; count < times; count++) {
    lists.push(await measure());
  }
  return lists;
}
