/** Something a person must mend before the command can go on: what is wrong, and what would do. Shown without a stack. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    message: string,
    /** What to do about it, as a sentence or a command. */
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text of an error of any kind, with the texts of what led to it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
