import { EndReason, Outcome, SessionState } from "@codemesh/api";
import { expect, it } from "vitest";
import { mesh } from "../mesh/mesh.js";
import { containerExists, containerOf } from "../support/containers.js";
import { collect, execute, run } from "../support/executions.js";
import { openSession, sessionNamed } from "../support/sessions.js";
import { until } from "../support/until.js";

it("an executor that is killed and started again leaves no orphan container, and its sessions are EXECUTOR_LOST", async () => {
  const [idle, busy] = await Promise.all([openSession(), openSession()]);
  const held = await Promise.all([idle, busy].map(({ name }) => containerOf(name)));
  const before = await mesh().containers();
  expect(before).toEqual(expect.arrayContaining(held));
  const looping = collect(execute(busy.name, "while True: pass")).then(
    ({ finished }) => finished.outcome,
    () => undefined,
  );

  await mesh().kill("executor", "SIGKILL");
  await mesh().start("executor");

  await using fresh = await until("a new session can be made", () => openSession().catch(() => undefined), 30_000);
  expect((await run(fresh.name, "print('alive')")).stdout).toBe("alive\n");
  const after = await mesh().containers();
  expect(before.filter((id) => after.includes(id))).toEqual([]);
  expect(await Promise.all(held.map(containerExists))).toEqual([false, false]);

  // Whoever ran code has an error or a LOST and waits no more.
  expect([undefined, Outcome.LOST]).toContain(await looping);

  for (const { name } of [idle, busy]) {
    const session = await until(
      `${name} is known to be lost`,
      async () => {
        const session = await sessionNamed(name);
        return session.state === SessionState.TERMINATED && session;
      },
      30_000,
    );
    expect(session.endReason).toBe(EndReason.EXECUTOR_LOST);
  }
}, 120_000);
