import { writeFileSync } from "node:fs";
import { prepareCompose } from "../compose.js";
import { withLock } from "../lock.js";
import { homeFrom, makeDirectories, meshPaths } from "../paths.js";
import { createProgress } from "../progress.js";
import { inRepository } from "../repository.js";

/** `./mesh compose-init`: builds the images that docker-compose.yml names and writes their tags to .env beside it. */
export async function composeInit(): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  makeDirectories(paths);
  const variables = await withLock(paths.lock, progress, () => prepareCompose(paths, progress));
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(inRepository(".env"), lines.join(""));
  process.stdout.write(`${inRepository(".env")} is written; docker compose up -d starts the mesh.\n`);
}
