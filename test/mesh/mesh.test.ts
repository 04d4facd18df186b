import { codeSession } from "@codemesh/sdk";
import { expect, test } from "vitest";
import { mesh } from "./mesh.js";

test("a session runs code and leaves no container behind", async () => {
  const session = await codeSession({ address: mesh().address, apiKey: mesh().key });
  const during = await mesh().containers();
  expect((await session.runToEnd("print(6 * 7)")).stdout).toBe("42\n");
  await session[Symbol.asyncDispose]();
  const after = await mesh().containers();
  expect(during.filter((id) => !after.includes(id))).toHaveLength(1);
});

test("a service that was killed serves again after its start", async () => {
  await mesh().kill("file-transfer", "SIGKILL");
  await mesh().start("file-transfer");
  await using session = await codeSession({ address: mesh().address, apiKey: mesh().otherKey });
  await session.files.write("a.txt", "hello");
  expect(Buffer.from(await session.files.read("a.txt")).toString()).toBe("hello");
});
