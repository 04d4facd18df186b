import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EndReason, Refusal, SandboxRemovedSchema, sessionName } from "@codemesh/api";
import type { Bus } from "@codemesh/bus";
import type { Logger } from "@codemesh/service-kit";
import { Code } from "@connectrpc/connect";
import type { Sampler } from "../sampler.js";
import { onDeadline } from "./deadline.js";
import { Lease, type SessionKey } from "./lease.js";
import type { Sandbox } from "./sandbox.js";
import type { WarmPool } from "./warm-pool.js";

const NO_CAPACITY_RETRY_MS = 2_000;
const ENVIRONMENT_LIMIT_MS = 10_000;
/** How many ended sessions are remembered by why they ended. */
const MAX_REMEMBERED = 10_000;

export interface SandboxesOptions {
  readonly pool: WarmPool<Sandbox>;
  readonly sampler: Sampler;
  readonly bus: Pick<Bus, "publishSandboxRemoved">;
  /** How many sessions may have a sandbox at once. */
  readonly capacity: number;
  readonly logger: Logger;
}

export interface SandboxRequest extends SessionKey {
  readonly expireTimeMs: number;
  readonly environment: Readonly<Record<string, string>>;
}

// Which session has which sandbox.
//
//   S1. A session has at most one sandbox; asking again joins the first request.
//   S2. A sandbox serves one session and is removed after it.
//   S3. The first reason to end is the one that is told, once.
//   S4. No sandbox outlives its deadline, whatever happens to the rest of the mesh.

/** The sandboxes that sessions hold. */
export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #leases = new Map<string, Lease>();
  readonly #creating = new Map<string, { readonly tenant: string; readonly done: Promise<Lease> }>();
  readonly #removing = new Map<string, Promise<void>>();
  readonly #deadlines = new Map<string, () => void>();
  readonly #ended = new Map<string, { readonly tenant: string; readonly reason: EndReason }>();
  #draining = false;

  constructor(options: SandboxesOptions) {
    this.#options = options;
  }

  /** How many sessions hold a sandbox or wait for one. */
  get count(): number {
    return this.#leases.size + this.#creating.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  leases(): Iterable<Lease> {
    return this.#leases.values();
  }

  /** The sandbox of a session, unless it is ending or another tenant's. */
  find({ tenant, sessionId }: SessionKey): Lease | undefined {
    const lease = this.#leases.get(sessionId);
    return lease?.tenant === tenant && !lease.ending ? lease : undefined;
  }

  /** Why a session that had its sandbox here ended, as far as it is remembered. */
  endReasonOf({ tenant, sessionId }: SessionKey): EndReason | undefined {
    const ended = this.#leases.get(sessionId)?.ending ? this.#leases.get(sessionId) : undefined;
    if (ended !== undefined) {
      return ended.tenant === tenant ? ended.endReason : undefined;
    }
    const remembered = this.#ended.get(sessionId);
    return remembered?.tenant === tenant ? remembered.reason : undefined;
  }

  /** Gives a session a sandbox; settles when it can run code. */
  async create(request: SandboxRequest): Promise<Lease> {
    if (this.#draining) {
      throw new Refusal(Code.Unavailable, "EXECUTOR_DRAINING", "This executor is stopping; ask another.");
    }
    const known = this.#leases.get(request.sessionId) ?? this.#creating.get(request.sessionId);
    if (known !== undefined && known.tenant !== request.tenant) {
      throw new Refusal(Code.NotFound, "SESSION_NOT_FOUND", "There is no such session.");
    }
    if (known instanceof Lease) {
      return known;
    }
    if (known !== undefined) {
      return known.done; // S1
    }
    if (this.count >= this.#options.capacity) {
      throw new Refusal(
        Code.ResourceExhausted,
        "NO_CAPACITY",
        `This executor holds ${this.#options.capacity} sandboxes, as many as it may.`,
        { retryAfterMs: NO_CAPACITY_RETRY_MS, metadata: { capacity: String(this.#options.capacity) } },
      );
    }
    const done = this.#assign(request, this.#options.pool.claim());
    this.#creating.set(request.sessionId, { tenant: request.tenant, done });
    try {
      return await done;
    } finally {
      this.#creating.delete(request.sessionId);
    }
  }

  /** Removes a session's sandbox and tells why; settles when it is gone. Ending what is not there changes nothing. */
  async end({ tenant, sessionId }: SessionKey, reason: EndReason, cause?: string): Promise<void> {
    const creating = this.#creating.get(sessionId);
    if (creating?.tenant === tenant) {
      await creating.done.catch(() => {});
    }
    const lease = this.#leases.get(sessionId);
    if (lease?.tenant !== tenant) {
      return;
    }
    let removing = this.#removing.get(sessionId);
    if (removing === undefined) {
      lease.endReason = reason; // S3
      removing = this.#remove(lease, cause).finally(() => this.#removing.delete(sessionId));
      this.#removing.set(sessionId, removing);
    }
    await removing;
  }

  /** Takes no more sessions and ends those there are; settles when their sandboxes are gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.allSettled([...this.#creating.values()].map((creating) => creating.done));
    await Promise.allSettled([...this.#leases.values()].map((lease) => this.end(lease, EndReason.EXECUTOR_LOST)));
  }

  async #assign(request: SandboxRequest, warm: Sandbox | undefined): Promise<Lease> {
    const sandbox = warm ?? (await this.#options.pool.next().catch(notStarted));
    try {
      if (Object.keys(request.environment).length > 0) {
        const work = { case: "setEnvironment" as const, value: { environment: { ...request.environment } } };
        await sandbox.link.control.call(work, ENVIRONMENT_LIMIT_MS);
      }
    } catch (error) {
      await sandbox.remove();
      return notStarted(error);
    }
    const lease = new Lease(request, sandbox, warm !== undefined);
    this.#leases.set(request.sessionId, lease);
    this.#deadlines.set(
      request.sessionId,
      onDeadline(request.expireTimeMs - Date.now(), () => this.#endAlone(lease, EndReason.EXPIRED)), // S4
    );
    void sandbox.died.then((cause) => this.#endAlone(lease, EndReason.SANDBOX_DIED, cause));
    sandbox.onExecutionOver(() => this.#options.sampler.soon(lease));
    this.#options.logger.info(
      { session: sessionName(request.sessionId), sandbox: sandbox.id, warm: lease.warm },
      "sandbox assigned",
    );
    return lease;
  }

  #endAlone(lease: Lease, reason: EndReason, cause?: string): void {
    this.end(lease, reason, cause).catch((error: unknown) => {
      this.#options.logger.error({ session: sessionName(lease.sessionId), err: error }, "sandbox not removed yet");
    });
  }

  async #remove(lease: Lease, cause: string | undefined): Promise<void> {
    const { tenant, sessionId, sandbox, endReason: reason } = lease;
    this.#deadlines.get(sessionId)?.();
    this.#deadlines.delete(sessionId);
    this.#options.sampler.last(lease);
    try {
      await sandbox.remove(); // S2
    } finally {
      // What the engine could not remove is without processes by now, and the sweep tries again.
      this.#leases.delete(sessionId);
      this.#remember(lease);
      const session = sessionName(sessionId);
      void this.#options.bus.publishSandboxRemoved(
        create(SandboxRemovedSchema, { tenant, session, reason, time: timestampFromMs(Date.now()) }),
      );
      this.#options.logger.info(
        { session, sandbox: sandbox.id, reason: EndReason[reason], ...(cause === undefined ? {} : { cause }) },
        "sandbox removed",
      );
    }
  }

  #remember({ tenant, sessionId, endReason }: Lease): void {
    this.#ended.set(sessionId, { tenant, reason: endReason });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MAX_REMEMBERED && oldest !== undefined) {
      this.#ended.delete(oldest);
    }
  }
}

function notStarted(cause: unknown): never {
  throw new Refusal(Code.Unavailable, "SANDBOX_START_FAILED", "The sandbox did not start; try again.", {
    cause,
    retryAfterMs: NO_CAPACITY_RETRY_MS,
  });
}
