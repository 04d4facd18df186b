import { linkpb, Outcome, type ProgramError } from "@codemesh/api";
import { expect, test, vi } from "vitest";
import type { ContextEvents, ContextStream, ExecutionSink } from "../agent-link/context-stream.js";
import { Interpreter } from "./interpreter.js";
import type { LiveExecution, Response } from "./live-execution.js";

/** The far side: an interpreter that does what the test tells it to. */
class FakeStream {
  readonly sinks: ExecutionSink[] = [];
  readonly interrupt = vi.fn();
  readonly kill = vi.fn();
  readonly pause = vi.fn();
  readonly resume = vi.fn();
  readonly close = vi.fn();
  paused = false;
  events: ContextEvents | undefined;
  start(events: ContextEvents): void {
    this.events = events;
  }
  run(_source: string, sink: ExecutionSink): bigint {
    this.sinks.push(sink);
    return BigInt(this.sinks.length);
  }
}

function setUp() {
  const far = new FakeStream();
  const violated = vi.fn();
  const interpreter = new Interpreter(far as unknown as ContextStream, {
    readCgroup: () => ({ cpuUs: 0n, peakMemoryBytes: 1n, oomKills: 0 }),
    executionOver: () => {},
    violated,
  });
  far.events?.ready();
  let last = 0;
  const execute = (timeoutMs?: number) => interpreter.execute({ name: `e${++last}`, source: "…", timeoutMs });
  return { far, interpreter, execute, violated };
}

async function collect(live: LiveExecution, signal = new AbortController().signal): Promise<Response[]> {
  const responses: Response[] = [];
  for await (const response of live.responses(signal)) {
    responses.push(response);
  }
  return responses;
}

const ended = (sink: ExecutionSink | undefined, ending = linkpb.Ending.COMPLETED, error?: ProgramError) =>
  sink?.ended(ending, error);
const casesOf = (responses: Response[]) => responses.map((response) => response.event?.case);
const finishedOf = (responses: Response[]) => {
  const event = responses.at(-1)?.event;
  return event?.case === "finished" ? event.value : undefined;
};

test("tells started, output and finished, in order and without a gap", async () => {
  const { far, execute } = setUp();
  const live = execute();
  far.sinks[0]?.output("stdout", Buffer.from("a"));
  far.sinks[0]?.output("stderr", Buffer.from("b"));
  ended(far.sinks[0]);
  const responses = await collect(live);
  expect(casesOf(responses)).toEqual(["started", "stdout", "stderr", "finished"]);
  expect(responses.map((response) => response.sequence)).toEqual([1n, 2n, 3n, 4n]);
  expect(finishedOf(responses)).toMatchObject({ outcome: Outcome.SUCCEEDED, statePreserved: true });
});

test("runs one at a time, in the order they came", () => {
  const { far, execute } = setUp();
  execute();
  const second = execute();
  expect(far.sinks).toHaveLength(1);
  ended(far.sinks[0]);
  expect(far.sinks).toHaveLength(2);
  expect(second.state).toBe("running");
});

test("refuses the 18th with a time to come back", () => {
  const { execute } = setUp();
  for (let count = 0; count < 17; count++) {
    execute();
  }
  expect(() => execute()).toThrow(expect.objectContaining({ reason: "TOO_MANY_WAITING", retryAfterMs: 1_000 }));
});

test("interrupts at the timeout, kills 5 s later, and gives the sandbox up 5 s after that", () => {
  vi.useFakeTimers();
  const { far, execute, violated } = setUp();
  execute(200);
  vi.advanceTimersByTime(200);
  expect(far.interrupt).toHaveBeenCalledWith(1n);
  vi.advanceTimersByTime(5_000);
  expect(far.kill).toHaveBeenCalledWith(1n);
  vi.advanceTimersByTime(4_999);
  expect(violated).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(violated).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

test("does not blame the sandbox for an end that its own caller has not read", () => {
  vi.useFakeTimers();
  const { far, execute, violated } = setUp();
  execute(200);
  far.paused = true;
  vi.advanceTimersByTime(60_000);
  expect(violated).not.toHaveBeenCalled();
  vi.useRealTimers();
});

test("cancels when the caller goes, and runs the next", async () => {
  const { far, execute } = setUp();
  const caller = new AbortController();
  const reading = collect(execute(), caller.signal);
  execute();
  caller.abort();
  expect(casesOf(await reading)).not.toContain("finished");
  expect(far.interrupt).toHaveBeenCalledWith(1n);
  ended(far.sinks[0], linkpb.Ending.RAISED);
  expect(far.sinks).toHaveLength(2);
});

test("forgets one whose caller goes before its turn", async () => {
  const { far, execute } = setUp();
  execute();
  const caller = new AbortController();
  const reading = collect(execute(), caller.signal);
  caller.abort();
  expect(await reading).toEqual([]);
  ended(far.sinks[0]);
  expect(far.sinks).toHaveLength(1);
});

test("stops reading while its caller does not take what is there", async () => {
  const { far, execute } = setUp();
  const live = execute();
  for (let piece = 0; piece < 4; piece++) {
    far.sinks[0]?.output("stdout", Buffer.alloc(64 << 10));
  }
  expect(far.pause).toHaveBeenCalled();
  expect(far.resume).not.toHaveBeenCalled();
  const reading = live.responses(new AbortController().signal);
  for (let taken = 0; taken < 5; taken++) {
    await reading.next();
  }
  expect(far.resume).toHaveBeenCalled();
});

test("waits for a new interpreter when the last one died, and says that state is gone", async () => {
  const { far, execute } = setUp();
  const first = execute();
  const second = execute();
  ended(far.sinks[0], linkpb.Ending.INTERPRETER_DIED);
  expect(far.sinks).toHaveLength(1);
  expect(finishedOf(await collect(first))).toMatchObject({ outcome: Outcome.FAILED, statePreserved: false });
  far.events?.ready();
  ended(far.sinks[1]);
  expect(finishedOf(await collect(second))).toMatchObject({ outcome: Outcome.SUCCEEDED, statePreserved: true });
});

test("says in the next execution that the interpreter restarted by itself", async () => {
  const { far, execute } = setUp();
  far.events?.ready();
  const [first, second] = [execute(), execute()];
  ended(far.sinks[0]);
  ended(far.sinks[1]);
  expect(finishedOf(await collect(first))?.statePreserved).toBe(false);
  expect(finishedOf(await collect(second))?.statePreserved).toBe(true);
});

test("loses what runs when the sandbox goes, and never runs what waits", async () => {
  const { interpreter, execute } = setUp();
  const running = execute();
  const waiting = execute();
  interpreter.close();
  expect(finishedOf(await collect(running))).toMatchObject({ outcome: Outcome.LOST, statePreserved: false });
  expect(await collect(waiting)).toEqual([]);
});

test("remembers a finished execution, so that cancelling it changes nothing", () => {
  const { far, interpreter, execute } = setUp();
  execute();
  ended(far.sinks[0]);
  expect(interpreter.find("e1")).toBe("finished");
  expect(interpreter.find("e2")).toBeUndefined();
});
