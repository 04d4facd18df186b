import { EndReason } from "@codemesh/api";
import { type Baseline, nextUsage, noUsage, type Usage } from "../domain/usage-sample.js";
import type { Sandbox } from "./sandbox.js";

/** Whose a session is. */
export interface SessionKey {
  readonly tenant: string;
  /** Its ULID. */
  readonly sessionId: string;
}

/** A session's hold on a sandbox: from the moment it is assigned until it is gone. */
export class Lease implements SessionKey {
  readonly tenant: string;
  readonly sessionId: string;
  readonly sandbox: Sandbox;
  /** Whether the sandbox came from the warm pool. */
  readonly warm: boolean;
  readonly startTimeMs = Date.now();
  /** Why it is ending; the first reason there was. */
  endReason = EndReason.UNSPECIFIED;
  /** The last usage counted. */
  usage: Usage = noUsage;
  readonly #baseline: Baseline;

  constructor({ tenant, sessionId }: SessionKey, sandbox: Sandbox, warm: boolean) {
    this.tenant = tenant;
    this.sessionId = sessionId;
    this.sandbox = sandbox;
    this.warm = warm;
    this.#baseline = { cpuUs: sandbox.read().cpuUs, timeUs: nowUs() };
  }

  get ending(): boolean {
    return this.endReason !== EndReason.UNSPECIFIED;
  }

  /** Counts what it has used up to now. */
  count(): Usage {
    this.usage = nextUsage(this.usage, this.#baseline, this.sandbox.read(), nowUs());
    return this.usage;
  }
}

function nowUs(): bigint {
  return process.hrtime.bigint() / 1000n;
}
