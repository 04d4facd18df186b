import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range from which the kernel takes ports for outgoing connections: while a server is away for a moment, one of its
// own clients could be given its port.
const FIRST = 10_000;
const END = 32_000;
const STEP = 100;
const STEPS = 50;

/**
 * A free loopback port that is not among those taken: the preferred one, else one some hundreds above it; with no
 * preference (0) any.
 */
export async function freePort(preferred: number, taken: readonly number[] = []): Promise<number> {
  for (let tried = 0; ; tried++) {
    const port = preferred > 0 && tried < STEPS ? preferred + tried * STEP : randomInt(FIRST, END);
    if (!taken.includes(port) && (await isPortFree(port))) {
      return port;
    }
  }
}

/** Whether a loopback port is free. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
