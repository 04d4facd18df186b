import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type CodemeshClient, connect } from "@codemesh/sdk";

/** Host uids that no other mesh on this machine uses. */
const COLD_UID_BASE = "500000";
const MESH = resolve(import.meta.dirname, "../../../mesh");

const execute = promisify(execFile);

/** A client of a second mesh, without a warm pool, which is taken down and removed at the end. */
export async function withColdMesh<T>(work: (client: CodemeshClient) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "codemesh-bench-"));
  const mesh = (...args: string[]) =>
    execute(MESH, args, {
      env: { ...process.env, CODEMESH_HOME: home, CODEMESH_WARM_POOL: "0", CODEMESH_UID_BASE: COLD_UID_BASE },
    });
  try {
    await mesh("up");
    const status = JSON.parse((await mesh("status", "--json")).stdout) as { gateway: string; keyFile: string };
    const client = connect({ address: status.gateway, apiKey: (await readFile(status.keyFile, "utf8")).trim() });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  } finally {
    await mesh("down");
    await rm(home, { recursive: true, force: true });
  }
}
