// Sandboxes that are ready before anyone asks. Whoever asks gets one that waits, or the next that is made.
//
//   W1. A sandbox that was handed out never comes back.
//   W2. While someone waits, up to `parallel` are made at once; otherwise one at a time.
//   W3. No more are made than are wanted: one for each who waits and `target` to keep.
//   W4. After a failure that nobody waited for, the pool rests, for longer each time.

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;

/** What the pool must know of what it holds. */
export interface Poolable {
  /** Settles when it has ended by itself. */
  readonly died: Promise<string>;
  remove(): Promise<void>;
}

export interface WarmPoolOptions<S extends Poolable> {
  /** How many to keep. */
  readonly target: () => number;
  /** How many to make at once while someone waits. */
  readonly parallel: number;
  readonly make: () => Promise<S>;
  /** One that nobody asked for could not be made, or died; the pool goes on. */
  readonly failed: (error: unknown) => void;
}

interface Waiter<S> {
  readonly resolve: (made: S) => void;
  readonly reject: (error: unknown) => void;
}

/** A pool of sandboxes. */
export class WarmPool<S extends Poolable> {
  readonly #options: WarmPoolOptions<S>;
  readonly #warm: S[] = [];
  readonly #waiting: Waiter<S>[] = [];
  #making = 0;
  #stopped = false;
  #restMs = 0;
  #rest: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(options: WarmPoolOptions<S>) {
    this.#options = options;
  }

  /** How many wait to be claimed. */
  get size(): number {
    return this.#warm.length;
  }

  /** Starts to fill. */
  start(): void {
    this.#fill();
  }

  /** One that is ready, without waiting, or `undefined`. */
  claim(): S | undefined {
    const claimed = this.#warm.shift(); // W1
    if (claimed !== undefined) {
      // What the caller does next comes first.
      setImmediate(() => this.#fill());
    }
    return claimed;
  }

  /** The next one that is made. */
  next(): Promise<S> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new Error("the pool has stopped"));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#fill();
    });
  }

  /** Makes no more, and removes those nobody claimed; settles when they are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#rest);
    for (const waiter of this.#waiting.splice(0)) {
      waiter.reject(new Error("the pool has stopped"));
    }
    await Promise.all(this.#warm.splice(0).map((sandbox) => sandbox.remove()));
    if (this.#making > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #fill(): void {
    const rested = this.#rest === undefined || this.#waiting.length > 0;
    while (!this.#stopped && rested && this.#making < this.#allowed()) {
      this.#making++;
      void this.#makeOne();
    }
  }

  /** How many may be in the making now. */
  #allowed(): number {
    const spare = Math.max(0, this.#options.target() - this.#warm.length);
    const wanted = this.#waiting.length + spare; // W3
    return Math.min(wanted, this.#waiting.length > 0 ? this.#options.parallel : 1); // W2
  }

  async #makeOne(): Promise<void> {
    try {
      const made = await this.#options.make();
      this.#restMs = 0;
      await this.#place(made);
    } catch (error) {
      const waiter = this.#waiting.shift();
      if (waiter !== undefined) {
        waiter.reject(error);
      } else if (!this.#stopped) {
        this.#options.failed(error);
        this.#restMs = Math.min(Math.max(FIRST_REST_MS, this.#restMs * 2), LONGEST_REST_MS); // W4
        this.#restFor(this.#restMs);
      }
    } finally {
      this.#making--;
      this.#fill();
      if (this.#making === 0) {
        for (const resolve of this.#idle.splice(0)) {
          resolve();
        }
      }
    }
  }

  async #place(made: S): Promise<void> {
    if (this.#stopped) {
      await made.remove();
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      waiter.resolve(made);
      return;
    }
    this.#warm.push(made);
    void made.died.then((cause) => this.#discard(made, cause));
  }

  async #discard(sandbox: S, cause: string): Promise<void> {
    const place = this.#warm.indexOf(sandbox);
    if (place < 0) {
      return;
    }
    this.#warm.splice(place, 1);
    this.#options.failed(new Error(`A warm sandbox is gone: ${cause}.`));
    await sandbox.remove().catch(this.#options.failed);
    this.#fill();
  }

  #restFor(delayMs: number): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#fill();
    }, delayMs);
  }
}
