import { Outcome } from "@codemesh/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute, executionOf, run } from "./support/executions.js";
import { write } from "./support/files.js";
import { type OpenSession, openSession } from "./support/sessions.js";

let session: OpenSession;

beforeAll(async () => {
  session = await openSession();
});

afterAll(() => session[Symbol.asyncDispose]());

describe("state", () => {
  it("persists across three executions", async () => {
    await run(session.name, "x = 20");
    await run(session.name, "def double(n): return 2 * n");
    const { stdout, finished } = await run(session.name, "import math\nprint(double(x) + math.floor(2.5))");

    expect(stdout).toBe("42\n");
    expect(finished).toMatchObject({ outcome: Outcome.SUCCEEDED, statePreserved: true });
  });
});

describe("output", () => {
  it("comes on the stream it was written to, in the order it was written", async () => {
    const { stdout, stderr } = await run(
      session.name,
      'import sys\nfor n in range(3):\n    print("out", n)\n    print("err", n, file=sys.stderr)',
    );

    expect(stdout).toBe("out 0\nout 1\nout 2\n");
    expect(stderr).toBe("err 0\nerr 1\nerr 2\n");
  });

  it.each([
    ["Python", 'print("first")'],
    ["a subprocess", 'import subprocess; subprocess.run(["echo", "first"])'],
    ["C code", 'import ctypes; libc = ctypes.CDLL(None); libc.printf(b"first\\n"); libc.fflush(None)'],
    ["the file descriptor", 'import os; os.write(1, b"first\\n")'],
  ])("of %s arrives while the program runs", async (_, printFirst) => {
    // The program ends only when the client has answered its first line.
    const source = `import os, time
${printFirst}
while not os.path.exists("answer"): time.sleep(0.01)
os.remove("answer")
print("second")`;
    const events = [];
    for await (const event of execute(session.name, source, { timeoutMs: 20_000 })) {
      events.push(event);
      if (event.event.case === "stdout" && !Buffer.from(event.event.value.data).includes("second")) {
        await write(session.name, "answer", "yes");
      }
    }

    const execution = executionOf(events);
    expect(execution.stdout).toBe("first\nsecond\n");
    expect(execution.finished.outcome).toBe(Outcome.SUCCEEDED);
  });

  it("of a shell that opens /dev/stderr anew is standard error", async () => {
    const { stderr } = await run(session.name, 'import os; os.system("echo oops > /dev/stderr")');

    expect(stderr).toBe("oops\n");
  });

  it("is complete, numbered without a gap, and never cut within a character", async () => {
    const { events, stdout } = await run(session.name, 'for n in range(20_000): print(n, "é€😀" * 5)');

    const expected = Array.from({ length: 20_000 }, (_, n) => `${n} ${"é€😀".repeat(5)}\n`).join("");
    expect(stdout === expected).toBe(true);
    expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
    expect(events[0]?.event.case).toBe("started");
    expect(events.at(-1)?.event.case).toBe("finished");
    expect(events.filter(({ event }) => event.case === "finished")).toHaveLength(1);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (const { event } of events) {
      if (event.case === "stdout") {
        expect(event.value.data.length).toBeLessThanOrEqual(65_536);
        decoder.decode(event.value.data);
      }
    }
  });
});

describe("a result", () => {
  it("is the value of the last expression", async () => {
    const { results, stdout } = await run(session.name, "y = 6\ny * 7");

    expect(results).toHaveLength(1);
    expect(results[0]?.representations).toMatchObject([
      { mediaType: "text/plain", content: { case: "text", value: "42" } },
    ]);
    expect(stdout).toBe("");
  });

  it("has every form of the value, plainest first", async () => {
    const { results } = await run(session.name, 'import pandas as pd\npd.DataFrame({"a": [1, 2]})');

    const forms = results[0]?.representations ?? [];
    expect(forms.map(({ mediaType }) => mediaType)).toEqual(["text/plain", "text/html"]);
    expect(forms[1]?.content.value).toContain("<table");
  });

  it("is absent when the last statement has no value", async () => {
    expect((await run(session.name, "z = 1")).results).toEqual([]);
    expect((await run(session.name, "None")).results).toEqual([]);
  });
});

describe("an error of the program", () => {
  it("is a FAILED with name, message and a traceback without colour codes, and the call succeeds", async () => {
    const { finished } = await run(session.name, 'def fail():\n    raise ValueError("no such thing")\nfail()');

    expect(finished).toMatchObject({
      outcome: Outcome.FAILED,
      statePreserved: true,
      error: { name: "ValueError", message: "no such thing" },
    });
    expect(finished.error?.traceback).toContain("ValueError: no such thing");
    expect(finished.error?.traceback).toContain("fail()");
    expect(finished.error?.traceback).not.toContain("\u001b");
  });

  it("of syntax is a FAILED as well", async () => {
    const { finished } = await run(session.name, "def (:");

    expect(finished).toMatchObject({ outcome: Outcome.FAILED, error: { name: "SyntaxError" } });
  });

  it("that ends the interpreter loses its variables, and the next execution works", async () => {
    await run(session.name, "kept = 1");
    const { finished } = await run(session.name, "import os; os._exit(3)");

    expect(finished).toMatchObject({ outcome: Outcome.FAILED, statePreserved: false });
    expect(finished.error).toBeDefined();
    const next = await run(session.name, '"kept" in globals()');
    expect(next.finished.outcome).toBe(Outcome.SUCCEEDED);
    expect(next.results[0]?.representations[0]?.content.value).toBe("False");
  });

  it("that takes more memory than the sandbox has is an OUT_OF_MEMORY, and the next execution works", async () => {
    const { finished } = await run(session.name, 'hoard = [b"x" * (64 << 20) for _ in range(1000)]');

    expect(finished).toMatchObject({ outcome: Outcome.OUT_OF_MEMORY, statePreserved: false });
    expect((await run(session.name, "print(1)")).stdout).toBe("1\n");
  });
});
