import { findings } from "../checks.js";
import { homeFrom, meshPaths } from "../paths.js";

/** `./mesh doctor`: each prerequisite, whether it is met and how to mend it. Exits with 1 when one is not. */
export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const all = await findings(meshPaths(homeFrom(process.env)));
  const ok = all.every((finding) => finding.ok);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ok, findings: all }, undefined, 2)}\n`);
    return ok ? 0 : 1;
  }
  for (const { name, ok: met, detail, remedy } of all) {
    process.stdout.write(`${met ? "✓" : "✗"} ${name.padEnd(12)} ${detail}\n`);
    if (remedy !== undefined) {
      process.stdout.write(`  ${" ".repeat(12)} ${remedy}\n`);
    }
  }
  return ok ? 0 : 1;
}
