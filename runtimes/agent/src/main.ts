import { setTimeout as sleep } from "node:timers/promises";
import { Control } from "./control.js";
import { dial } from "./dial.js";
import { FIRST_WAIT_MS, nextWaitMs, waitWithJitterMs } from "./redial.js";

// The agent: the one process of ours inside a sandbox. It dials the executor, does as it is asked, dials again when the
// connection breaks, and ends the sandbox when nobody has welcomed it for a minute.

const GIVE_UP_MS = 60_000;

const control = new Control();
let welcomeMs = performance.now();
let waitMs = FIRST_WAIT_MS;

// What user code does to this process must end in a redial or in the end of the sandbox, not in half an agent.
process.on("uncaughtException", (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

while (performance.now() - welcomeMs < GIVE_UP_MS) {
  try {
    const socket = await dial({ case: "controlSecret", value: control.secret });
    // An executor that accepts but never answers is as good as none.
    const silence = setTimeout(() => socket.destroy(), GIVE_UP_MS - (performance.now() - welcomeMs));
    try {
      await control.serve(socket, () => {
        clearTimeout(silence);
        waitMs = FIRST_WAIT_MS;
      });
    } finally {
      if (waitMs === FIRST_WAIT_MS) {
        welcomeMs = performance.now();
      }
      clearTimeout(silence);
      socket.destroy();
    }
  } catch {
    // Not there, or broken: both are mended by the next dial.
  }
  await sleep(waitWithJitterMs(waitMs, Math.random()));
  waitMs = nextWaitMs(waitMs);
}
process.exit(1);
