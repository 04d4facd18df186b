import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines } from "./files.js";
import { Problem } from "./problem.js";
import { goneWithin, type ProcessRecord } from "./processes.js";

const CALL_LIMIT_MS = 2_000;
const POLL_MS = 50;

/** Whether the server at `http://host:port` says SERVING, by grpc.health.v1.Health/Check in Connect's JSON form. */
export function isServing(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      `${url}/grpc.health.v1.Health/Check`,
      { method: "POST", headers: { "content-type": "application/json" }, timeout: CALL_LIMIT_MS, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve(statusIn(text) === "SERVING"));
        response.once("error", () => resolve(false));
      },
    );
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", () => resolve(false));
    call.end("{}");
  });
}

/** Returns when a process serves; when it ends or takes too long, its last log lines are the problem. */
export async function untilServing(record: ProcessRecord, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await isServing(record.address))) {
    const over = await goneWithin(record, 0);
    if (over || performance.now() >= deadline) {
      throw new Problem(
        `${record.name} ${over ? "ended at its start" : `does not serve after ${limitMs / 1000} s`}. Its last lines (${record.logFile}):\n${lastLines(record.logFile, 12).join("\n")}`,
        `./mesh logs ${record.name} shows more.`,
      );
    }
    await sleep(POLL_MS);
  }
}

function statusIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { status?: unknown }).status;
  } catch {
    return undefined;
  }
}
