import type { Logger } from "@codemesh/service-kit";

/** Work that goes on after its call was answered. */
export interface Background {
  /** Starts it; its failure is logged under this name. */
  run(name: string, work: () => Promise<unknown>): void;
  /** Settles when everything that was started is over. */
  idle(): Promise<void>;
}

export function createBackground(logger: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    run(name, work) {
      const one = work().then(
        () => {},
        (error: unknown) => logger.warn({ err: error }, `${name} failed`),
      );
      running.add(one);
      void one.then(() => running.delete(one));
    },
    async idle() {
      while (running.size > 0) {
        await Promise.all(running);
      }
    },
  };
}
