import { createServer } from "node:net";

/** The preferred loopback port if it is free, else any free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await boundPort(preferred)) ?? ((await boundPort(0)) as number);
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
