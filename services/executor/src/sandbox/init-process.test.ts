import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { initProcess } from "./init-process.js";

test("lives until it is killed", async () => {
  const child = spawn("sleep", ["60"]);
  const init = initProcess(child.pid as number);
  expect(init.alive()).toBe(true);
  init.kill();
  expect((await once(child, "exit"))[1]).toBe("SIGKILL");
  expect(init.alive()).toBe(false);
  init.kill();
});

test("does not live when there is no such process", () => {
  expect(initProcess(2 ** 30).alive()).toBe(false);
});
