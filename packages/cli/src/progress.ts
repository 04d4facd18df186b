import { stripVTControlCharacters } from "node:util";
import { messageOf } from "./problem.js";

// Shown on stderr only: stdout belongs to the program that `./mesh run` runs.

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
/** What takes less is not worth a line. */
const QUIET_MS = 1_000;
/** How often a step says that it is still at it where lines cannot be redrawn. */
const PLAIN_INTERVAL_MS = 15_000;

/** Tells a person what is being waited for. */
export interface Progress {
  /** Runs a step; shows its title and its time when it takes more than a second. `detail` says what it is at. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** Says one thing that a person would want to know. */
  note(text: string): void;
}

/** What progress is written to. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress for a terminal (one line, redrawn), or in plain lines for anything else. */
export function createProgress(screen: Screen): Progress {
  return screen.isTTY === true ? terminalProgress(screen) : plainProgress(screen);
}

/** Progress that nobody sees. */
export const silentProgress: Progress = {
  step: (_title, work) => work(() => {}),
  note: () => {},
};

function terminalProgress(screen: Screen): Progress {
  return {
    async step(title, work) {
      const start = performance.now();
      let detail = "";
      let frame = 0;
      const draw = () => {
        const waited = performance.now() - start;
        if (waited < QUIET_MS / 2) {
          return;
        }
        const line = `${SPINNER[frame++ % SPINNER.length]} ${title}, ${seconds(waited)}${detail === "" ? "" : `: ${detail}`}`;
        screen.write(`\r\x1b[K${line.slice(0, (screen.columns ?? 80) - 1)}`);
      };
      const timer = setInterval(draw, FRAME_MS);
      const erase = () => {
        clearInterval(timer);
        if (frame > 0) {
          screen.write("\r\x1b[K");
        }
      };
      try {
        const result = await work((text) => {
          detail = oneLine(text);
        });
        erase();
        const took = performance.now() - start;
        if (took >= QUIET_MS) {
          screen.write(`✓ ${title}, ${seconds(took)}\n`);
        }
        return result;
      } catch (error) {
        erase();
        screen.write(`✗ ${title}, ${seconds(performance.now() - start)}\n`);
        throw error;
      }
    },
    note(text) {
      screen.write(`${text}\n`);
    },
  };
}

function plainProgress(screen: Screen): Progress {
  return {
    async step(title, work) {
      const start = performance.now();
      let detail = "";
      let shown = false;
      const say = () => {
        const waited = shown ? `, still at it after ${seconds(performance.now() - start)}` : "";
        screen.write(`… ${title}${waited}${detail === "" ? "" : `: ${detail}`}\n`);
        shown = true;
      };
      const first = setTimeout(say, QUIET_MS);
      const timer = setInterval(say, PLAIN_INTERVAL_MS);
      try {
        const result = await work((text) => {
          detail = oneLine(text);
        });
        if (shown) {
          screen.write(`✓ ${title}, ${seconds(performance.now() - start)}\n`);
        }
        return result;
      } catch (error) {
        screen.write(`✗ ${title}, ${seconds(performance.now() - start)}: ${messageOf(error).split("\n")[0]}\n`);
        throw error;
      } finally {
        clearTimeout(first);
        clearInterval(timer);
      }
    },
    note(text) {
      screen.write(`${text}\n`);
    },
  };
}

/** Without line ends and the colours that commands give their output. */
function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\s+/g, " ").trim();
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
