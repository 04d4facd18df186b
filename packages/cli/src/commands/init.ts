import { join } from "node:path";
import { ensureOwnKey } from "../api-keys.js";
import { readText, writePrivate } from "../files.js";
import { natsConfig, natsVersion } from "../nats-server.js";
import { homeFrom, makeDirectories, meshPaths } from "../paths.js";
import { ensureSecrets } from "../secrets.js";

/** `./mesh init`: what a mesh needs in its data directory when something else than `./mesh up` starts its processes. */
export async function init(options: { readonly natsListen?: string; readonly natsUrl?: string }): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  makeDirectories(paths);
  ensureSecrets(paths);
  if (options.natsListen !== undefined) {
    const config = natsConfig({
      listen: options.natsListen,
      storeDirectory: join(paths.nats, "store"),
      password: readText(paths.natsPassword)?.trim() ?? "",
      version: await natsVersion("nats-server"),
    });
    writePrivate(paths.natsConfig, config);
  }
  if (options.natsUrl !== undefined) {
    await ensureOwnKey(paths, options.natsUrl);
  }
}
