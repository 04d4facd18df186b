import { createApiKey } from "../api-keys.js";
import { homeFrom, meshPaths } from "../paths.js";
import { Problem } from "../problem.js";
import { readState } from "../state.js";

/** `./mesh key create`: makes an API key for a tenant and prints it, this once. */
export async function createKey(options: { readonly tenant: string; readonly expiresIn?: string }): Promise<void> {
  const paths = meshPaths(homeFrom(process.env));
  const state = readState(paths);
  if (state === undefined) {
    throw new Problem("The mesh is not up.", "Start it with ./mesh up.");
  }
  const expireTime = options.expiresIn === undefined ? undefined : expireTimeFrom(options.expiresIn, Date.now());
  const text = await createApiKey(
    { natsUrl: state.natsUrl, passwordFile: paths.natsPassword },
    { tenant: options.tenant, ...(expireTime === undefined ? {} : { expireTime }) },
  );
  process.stdout.write(`${text}\n`);
}

/** The end of a key's life of so many seconds; throws a Problem for anything but a positive whole number. */
export function expireTimeFrom(secondsText: string, nowMs: number): Date {
  const date = new Date(nowMs + Number(secondsText) * 1000);
  if (!/^[1-9]\d*$/.test(secondsText) || Number.isNaN(date.getTime())) {
    throw new Problem(
      `--expires-in ${secondsText} is not a number of seconds.`,
      "Use a whole number, 86400 for a day.",
    );
  }
  return date;
}
