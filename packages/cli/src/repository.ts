import { join, resolve } from "node:path";

/** The root of the checkout that this code was built in. */
export const REPOSITORY = resolve(import.meta.dirname, "../../..");

/** A path below the root of the checkout. */
export function inRepository(...parts: string[]): string {
  return join(REPOSITORY, ...parts);
}
