import { setTimeout as sleep } from "node:timers/promises";
import { type ExecuteResponse, Outcome } from "@codemesh/api";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clients } from "./support/clients.js";
import { type Execution, execute, executionOf, run } from "./support/executions.js";
import { write } from "./support/files.js";
import { refusalOf } from "./support/refusals.js";
import { type OpenSession, openSession } from "./support/sessions.js";

let session: OpenSession;

beforeAll(async () => {
  session = await openSession();
});

afterAll(() => session[Symbol.asyncDispose]());

describe("cancelling", () => {
  it("interrupts an infinite loop and leaves the variables as they were", async () => {
    await run(session.name, "before = 7");

    const { finished } = await runCancelled("during = 8\nprint('looping')\nwhile True: pass");

    expect(finished).toMatchObject({ outcome: Outcome.CANCELLED, statePreserved: true });
    expect((await run(session.name, "print(before, during)")).stdout).toBe("7 8\n");
  });

  it("kills the interpreter of a program that will not be interrupted, and the next execution works", async () => {
    const stubborn = `print("looping")
while True:
    try:
        while True: pass
    except KeyboardInterrupt: pass`;

    const { finished } = await runCancelled(stubborn);

    expect(finished).toMatchObject({ outcome: Outcome.CANCELLED, statePreserved: false });
    expect((await run(session.name, "print(1)")).stdout).toBe("1\n");
  });

  it("changes nothing when the execution has finished, however often it is done", async () => {
    const { name } = await run(session.name, "1");

    await clients().executions.cancelExecution({ name });
    await clients().executions.cancelExecution({ name });

    expect((await run(session.name, "print(1)")).finished.outcome).toBe(Outcome.SUCCEEDED);
  });

  it("is what closing the stream does", async () => {
    const closing = new AbortController();
    const source = 'print("looping")\nwhile True: pass';
    const abandoned = (async () => {
      for await (const { event } of execute(session.name, source, { signal: closing.signal })) {
        if (event.case === "stdout") {
          closing.abort();
        }
      }
    })();
    await expect(abandoned).rejects.toMatchObject({ code: Code.Canceled });

    // One execution at a time runs: this one gets its turn because the other has ended.
    expect((await run(session.name, "print('free')")).stdout).toBe("free\n");
  });
});

describe("a timeout", () => {
  it("ends the execution as TIMED_OUT and leaves the variables as they were", async () => {
    await run(session.name, "before = 9");

    const { finished } = await run(session.name, "while True: pass", { timeoutMs: 300 });

    expect(finished).toMatchObject({ outcome: Outcome.TIMED_OUT, statePreserved: true });
    expect((await run(session.name, "print(before)")).stdout).toBe("9\n");
  });

  it("counts from the execution's turn, not from the call", async () => {
    const first = run(session.name, "import time; time.sleep(1)");
    await sleep(200);
    const second = run(session.name, "print('in time')", { timeoutMs: 500 });

    expect((await first).finished.outcome).toBe(Outcome.SUCCEEDED);
    expect((await second).finished.outcome).toBe(Outcome.SUCCEEDED);
  });
});

const UNTIL_TOLD = `import os, time
while not os.path.exists("go"): time.sleep(0.01)
os.remove("go")`;

describe("an execution in an occupied interpreter", () => {
  it("starts when the one before it has finished", async () => {
    const order: string[] = [];
    const first = noting("first", execute(session.name, UNTIL_TOLD), order);
    await sleep(200);
    const second = noting("second", execute(session.name, "1"), order);
    await sleep(200);
    expect(order).toEqual(["first started"]);
    await write(session.name, "go", "");
    await Promise.all([first, second]);

    expect(order).toEqual(["first started", "first finished", "second started", "second finished"]);
  });

  it("is refused when 16 wait already", async () => {
    const holder = run(session.name, UNTIL_TOLD);
    await sleep(200);
    const rest = Array.from({ length: 17 }, () => run(session.name, "1"));
    const refusal = await refusalOf(Promise.all(rest));
    await write(session.name, "go", "");
    await holder;

    expect(refusal).toMatchObject({ code: "ResourceExhausted", reason: "TOO_MANY_WAITING" });
    const outcomes = await Promise.allSettled(rest);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(16);
  });
});

/** Runs a program and cancels it at its first output. */
async function runCancelled(source: string): Promise<Execution> {
  const events: ExecuteResponse[] = [];
  let name = "";
  for await (const event of execute(session.name, source)) {
    events.push(event);
    if (event.event.case === "started") {
      name = event.event.value.execution;
    }
    if (event.event.case === "stdout") {
      await clients().executions.cancelExecution({ name });
    }
  }
  return executionOf(events);
}

async function noting(name: string, events: AsyncIterable<ExecuteResponse>, order: string[]): Promise<void> {
  for await (const { event } of events) {
    if (event.case === "started" || event.case === "finished") {
      order.push(`${name} ${event.case}`);
    }
  }
}
