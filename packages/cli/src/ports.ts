import { createServer } from "node:net";

/** The preferred loopback port if it is free and not among those taken, else any such port. */
export async function freePort(preferred: number, taken: readonly number[] = []): Promise<number> {
  for (let port = await boundPort(preferred); ; port = await boundPort(0)) {
    if (port !== undefined && !taken.includes(port)) {
      return port;
    }
  }
}

/** Whether a loopback port is free. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await boundPort(port)) !== undefined;
}

function boundPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}
