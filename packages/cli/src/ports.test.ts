import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, isPortFree } from "./ports.js";

test("a port in use or taken already is passed over for the one a hundred above", async () => {
  const preferred = await freePort(0);
  expect(preferred).toBeLessThan(32_000);
  expect(await freePort(preferred)).toBe(preferred);
  expect(await freePort(preferred, [preferred])).toBe(preferred + 100);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(preferred, "127.0.0.1", resolve));
  expect(await isPortFree(preferred)).toBe(false);
  expect(await freePort(preferred)).toBe(preferred + 100);
  await new Promise((resolve) => server.close(resolve));
});
