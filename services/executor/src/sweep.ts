import { EndReason, type SessionRecord, SessionState } from "@codemesh/api";
import { type RecordStore, sessionKey } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";
import type { DockerEngine } from "./sandbox/docker-engine.js";
import type { SandboxMaker } from "./sandbox/sandbox-maker.js";
import type { Sandboxes } from "./sandbox/sandboxes.js";

const PERIOD_MS = 10_000;

/** Whose containers may be swept; no others are looked at. */
export interface Owner {
  readonly instance: string;
  readonly executor: string;
}

/** Removes every container that an earlier life of this executor left; gives their number. */
export async function removeLeftovers(engine: DockerEngine, owner: Owner): Promise<number> {
  const leftovers = await engine.list(owner);
  await Promise.all(leftovers.map((container) => engine.remove(container.id)));
  return leftovers.length;
}

export interface SweepOptions {
  readonly engine: DockerEngine;
  readonly owner: Owner;
  readonly maker: SandboxMaker;
  readonly sandboxes: Sandboxes;
  readonly sessions: Pick<RecordStore<SessionRecord>, "get">;
  readonly logger: Logger;
}

/** Mends, every 10 s, what a failed call left: containers without a sandbox, sandboxes without a session. */
export function startSweep(options: SweepOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const round = async () => {
    await orphans(options);
    await endless(options);
  };
  const sweeping = (async () => {
    while (await rested(stopping.signal)) {
      await round().catch((error: unknown) => options.logger.warn({ err: error }, "sweep broke off, again in 10 s"));
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await sweeping;
    },
  };
}

/** Containers whose sandbox this process does not know. */
async function orphans({ engine, owner, maker, logger }: SweepOptions): Promise<void> {
  // One that is being removed may go between the list and the look.
  const before = new Set(maker.known());
  for (const container of await engine.list(owner)) {
    if (!before.has(container.sandbox) && !maker.known().has(container.sandbox)) {
      await engine.remove(container.id);
      logger.warn({ sandbox: container.sandbox }, "orphan container removed");
    }
  }
}

/** Sandboxes whose session has ended without them. */
async function endless({ sandboxes, sessions }: SweepOptions): Promise<void> {
  for (const lease of [...sandboxes.leases()]) {
    const session = (await sessions.get(sessionKey(lease.tenant, lease.sessionId)))?.value.session;
    if (session === undefined || hasEnded(session.state)) {
      await sandboxes.end(lease, reasonOf(session?.endReason), "its session has ended");
    }
  }
}

function hasEnded(state: SessionState): boolean {
  return state === SessionState.STOPPING || state === SessionState.TERMINATED;
}

function reasonOf(reason: EndReason | undefined): EndReason {
  return reason === undefined || reason === EndReason.UNSPECIFIED ? EndReason.REQUESTED : reason;
}

/** Waits a period; false when the sweep is to stop. */
function rested(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const timer = setTimeout(() => over(true), PERIOD_MS);
    const onAbort = () => over(false);
    const over = (on: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(on);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
