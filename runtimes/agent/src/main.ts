import { setTimeout as sleep } from "node:timers/promises";
import { Control } from "./control.js";
import { dial } from "./dial.js";

// The agent: the one process of ours inside a sandbox. It dials the executor, does as it is asked, dials again when the
// connection breaks, and ends the sandbox when nobody has answered for a minute.

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
const GIVE_UP_MS = 60_000;

const control = new Control();
let lastAnswerMs = performance.now();
let waitMs = FIRST_WAIT_MS;

// What user code does to this process must end in a redial or in the end of the sandbox, not in half an agent.
process.on("uncaughtException", () => process.exit(1));

while (performance.now() - lastAnswerMs < GIVE_UP_MS) {
  try {
    const socket = await dial({ case: "controlSecret", value: control.secret });
    lastAnswerMs = performance.now();
    await control.serve(socket);
    if (performance.now() - lastAnswerMs > LONGEST_WAIT_MS) {
      waitMs = FIRST_WAIT_MS;
    }
    lastAnswerMs = performance.now();
  } catch {
    // Not there, or broken: both are mended by the next dial.
  }
  await sleep(waitMs * (0.5 + Math.random()));
  waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
}
process.exit(1);
