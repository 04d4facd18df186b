import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { Language } from "@codemesh/sdk";
import { messageOf, Problem } from "./problem.js";

const LANGUAGES: Readonly<Record<string, Language>> = { python: Language.PYTHON };
const EXTENSIONS: Readonly<Record<string, string>> = { ".py": "python" };

/** A file to be put into a session before the program runs. */
export interface DataFile {
  readonly local: string;
  /** Relative to `/workspace`. */
  readonly remote: string;
}

/** The text of a file; throws a Problem when it cannot be read. */
export function readProgram(path: string): string {
  return readBytes(path).toString("utf8");
}

/** The content of a file; throws a Problem when it cannot be read. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Problem(`${path} cannot be read: ${messageOf(cause)}`);
  }
}

/** The language that was asked for, else the one that the file's name says, else Python. */
export function languageOf(path: string, asked: string | undefined): Language {
  const name = asked?.toLowerCase() ?? EXTENSIONS[extname(path)] ?? "python";
  const language = LANGUAGES[name];
  if (language === undefined) {
    throw new Problem(`--language ${asked} is not known.`, `There are: ${Object.keys(LANGUAGES).join(", ")}.`);
  }
  return language;
}

/** What `--file LOCAL[:REMOTE]` means; without REMOTE the file keeps its name. */
export function dataFileFrom(option: string): DataFile {
  const colon = option.lastIndexOf(":");
  const local = colon > 0 ? option.slice(0, colon) : option;
  const remote = colon > 0 ? option.slice(colon + 1) : basename(option);
  if (local === "" || remote === "") {
    throw new Problem(`--file ${option} does not name a file.`, "Write --file LOCAL or --file LOCAL:REMOTE.");
  }
  return { local, remote };
}

/** Milliseconds of `--timeout SECONDS`; fractions of a second will do. */
export function timeoutMsFrom(option: string): number {
  const ms = Math.round(Number(option) * 1000);
  if (option.trim() === "" || !Number.isFinite(ms) || ms < 1) {
    throw new Problem(`--timeout ${option} is not a number of seconds.`);
  }
  return ms;
}
