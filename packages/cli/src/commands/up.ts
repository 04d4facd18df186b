import { homeFrom, meshPaths } from "../paths.js";
import { createProgress } from "../progress.js";
import { bringUp } from "../up.js";

/** `./mesh up`: starts what is missing and says where the mesh answers. */
export async function up(): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  const state = await bringUp(paths, createProgress(process.stderr));
  process.stdout.write(`gateway  ${state.gatewayUrl}\nAPI key  ${paths.key}\n`);
}
