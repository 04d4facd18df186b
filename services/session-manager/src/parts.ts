import type { Logger } from "@codemesh/service-kit";
import type { Background } from "./background.js";
import type { ExecutorRegistry } from "./executor-registry.js";
import type { Sandboxes } from "./sandboxes.js";
import type { SessionStore } from "./session-store.js";

/** What the RPCs work with. */
export interface Parts {
  readonly store: SessionStore;
  readonly registry: ExecutorRegistry;
  readonly sandboxes: Sandboxes;
  readonly background: Background;
  readonly logger: Logger;
  /** Unix time, ms. */
  readonly now: () => number;
  /** A new ULID, greater than those before. */
  readonly newId: () => string;
}
