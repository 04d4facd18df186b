import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";
import { brokenOff, unreachable } from "./unavailable.js";
import { LinkViolation } from "./violation.js";

const TOKEN_BYTES = 32;
const TOKEN_LIMIT_MS = 30_000;
/** How many streams one sandbox may have at once; each is a socket of the executor. */
const MAX_STREAMS = 64;
const TOO_MANY_STREAMS_RETRY_MS = 1_000;

interface Expected {
  readonly token: Buffer;
  readonly arrive: (socket: Socket) => void;
}

/** Which stream a connection of a sandbox is. A token is good for one connection, for 30 s. */
export class StreamTokens {
  readonly #expected = new Set<Expected>();
  #open = 0;
  #cancel: ((error: Error) => void)[] = [];

  /** How many connections are on their way. */
  get expected(): number {
    return this.#expected.size;
  }

  /** A new token, and the connection that will show it. */
  expect(): { readonly token: Uint8Array; readonly socket: Promise<Socket> } {
    if (this.#open >= MAX_STREAMS) {
      throw new Refusal(Code.ResourceExhausted, "TOO_MANY_TRANSFERS", `At most ${MAX_STREAMS} files move at once.`, {
        retryAfterMs: TOO_MANY_STREAMS_RETRY_MS,
      });
    }
    this.#open++;
    const token = randomBytes(TOKEN_BYTES);
    const socket = new Promise<Socket>((resolve, reject) => {
      const expected: Expected = {
        token,
        arrive: (arrived) => {
          clearTimeout(limit);
          this.#cancel = this.#cancel.filter((one) => one !== cancel);
          arrived.once("close", () => this.#open--);
          resolve(arrived);
        },
      };
      const cancel = (error: Error) => {
        clearTimeout(limit);
        this.#cancel = this.#cancel.filter((one) => one !== cancel);
        if (this.#expected.delete(expected)) {
          this.#open--;
          reject(error);
        }
      };
      const limit = setTimeout(
        () => cancel(brokenOff(new LinkViolation("a stream was not dialled in time"))),
        TOKEN_LIMIT_MS,
      );
      this.#expected.add(expected);
      this.#cancel.push(cancel);
    });
    // The reader may come later than the failure.
    socket.catch(() => {});
    return { token, socket };
  }

  /** Hands the connection to whoever expects this token; false when nobody does. */
  redeem(token: Uint8Array, socket: Socket): boolean {
    let found: Expected | undefined;
    for (const expected of this.#expected) {
      if (token.length === TOKEN_BYTES && timingSafeEqual(token, expected.token)) {
        found = expected;
      }
    }
    if (found === undefined) {
      return false;
    }
    this.#expected.delete(found);
    found.arrive(socket);
    return true;
  }

  /** Tells everyone who waits that no connection will come. */
  close(): void {
    for (const cancel of [...this.#cancel]) {
      cancel(unreachable());
    }
  }
}
