import { EndReason, FileType, Outcome, Refusal, SessionState } from "@codemesh/api";
import { type CodeSession, codeSession, connect, type ExecutionEvent } from "@codemesh/sdk";
import { expect, it } from "vitest";
import { mesh } from "./mesh/mesh.js";
import { sessionNamed } from "./support/sessions.js";

function open(): Promise<CodeSession> {
  return codeSession({ address: mesh().address, apiKey: mesh().key });
}

it("a session ends with the block that opened it", async () => {
  let name = "";
  {
    await using session = await open();
    name = session.name;
    expect((await sessionNamed(name)).state).toBe(SessionState.READY);
  }
  expect(await sessionNamed(name)).toMatchObject({
    state: SessionState.TERMINATED,
    endReason: EndReason.REQUESTED,
  });
});

it("a session ends with the block that opened it also when that throws", async () => {
  let name = "";
  const failing = async () => {
    await using session = await open();
    name = session.name;
    throw new Error("on purpose");
  };

  await expect(failing()).rejects.toThrow("on purpose");
  expect((await sessionNamed(name)).state).toBe(SessionState.TERMINATED);
});

it("events come one by one, text decoded", async () => {
  await using session = await open();
  const events: ExecutionEvent[] = [];
  for await (const event of session.run('print("grüß dich")\n6 * 7')) {
    events.push(event);
  }

  expect(events.map(({ type }) => type)).toEqual(["started", "stdout", "result", "finished"]);
  expect(events[1]).toMatchObject({ text: "grüß dich\n" });
  expect(events[2]).toMatchObject({ text: "42" });
  expect(events[3]).toMatchObject({ outcome: Outcome.SUCCEEDED, statePreserved: true });
});

it("leaving the loop over the events cancels the execution", async () => {
  await using session = await open();
  for await (const event of session.run('kept = 1\nprint("looping")\nwhile True: pass')) {
    if (event.type === "stdout") {
      break;
    }
  }

  expect((await session.runToEnd("print(kept)")).stdout).toBe("1\n");
});

it("an execution can be cancelled and tells so", async () => {
  await using session = await open();
  const execution = session.run('print("looping")\nwhile True: pass');
  for await (const event of execution) {
    if (event.type === "stdout") {
      await execution.cancel();
    }
    if (event.type === "finished") {
      expect(event.outcome).toBe(Outcome.CANCELLED);
    }
  }
});

it("files are written, listed, read by parts and removed", async () => {
  await using session = await open();
  const content = new Uint8Array(3_000_000).map((_, index) => index % 251);

  await session.files.write("data/numbers.bin", content);
  await session.files.write("data/note.txt", "a note");

  expect((await session.files.list("data")).map(({ path, type }) => [path, type])).toEqual([
    ["data/note.txt", FileType.REGULAR],
    ["data/numbers.bin", FileType.REGULAR],
  ]);
  expect(Buffer.from(await session.files.read("data/numbers.bin")).equals(content)).toBe(true);
  expect(Buffer.from(await session.files.read("data/note.txt", { offset: 2, limit: 4 })).toString()).toBe("note");
  await session.files.remove("data", { recursive: true });
  expect(await session.files.list()).toEqual([]);
});

it("a refusal carries its reason", async () => {
  await using session = await open();

  const refusal = await session.files.read("none").catch((error: unknown) => error);

  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ reason: "FILE_NOT_FOUND" });
});

it("many sessions share one client", async () => {
  const client = connect({ address: mesh().address, apiKey: mesh().key });
  try {
    const outputs = await Promise.all(
      [1, 2, 3].map(async (n) => {
        await using session = await codeSession({ client });
        return (await session.runToEnd(`print(${n})`)).stdout;
      }),
    );
    expect(outputs).toEqual(["1\n", "2\n", "3\n"]);
  } finally {
    client.close();
  }
});
