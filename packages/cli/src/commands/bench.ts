import { spawnForeground } from "../foreground.js";
import { homeFrom, meshPaths } from "../paths.js";
import { createProgress } from "../progress.js";
import { inRepository } from "../repository.js";
import { runCommand } from "../run-command.js";
import { bringUp } from "../up.js";

/** `./mesh bench`: measures the running mesh and prints a table; `--json FILE` writes it for programs. */
export async function bench(options: { readonly json?: string }): Promise<number> {
  const paths = meshPaths(homeFrom(process.env));
  const progress = createProgress(process.stderr);
  const state = await bringUp(paths, progress);
  const tsc = inRepository("node_modules", "typescript", "bin", "tsc");
  await progress.step("Compiling the bench", () =>
    runCommand(process.execPath, [tsc, "-b", inRepository("test", "tsconfig.build.json")]),
  );
  return await spawnForeground(
    process.execPath,
    [inRepository("test", "dist", "bench", "main.js"), ...(options.json === undefined ? [] : ["--json", options.json])],
    {
      cwd: process.cwd(),
      env: {
        ...process.env,
        CODEMESH_ADDRESS: state.gatewayUrl,
        CODEMESH_KEY_FILE: paths.key,
        CODEMESH_RUNTIME_IMAGE: state.runtimeImage,
        DOCKER_HOST: state.dockerHost,
      },
    },
  );
}
