import type { DescMessage } from "@bufbuild/protobuf";
import { LifecycleEventSchema, SandboxRemovedSchema, UsageSampleSchema } from "@codemesh/api";
import { type JetStreamManager, NatsError, nanos, RetentionPolicy, StorageType } from "nats";

const DAY_MS = 86_400_000;

interface StreamRule<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
}

/** The streams and what is on them. */
export const STREAMS = {
  LIFECYCLE: { schema: LifecycleEventSchema, subjects: ["lifecycle.>"], maxAgeMs: 30 * DAY_MS },
  USAGE: { schema: UsageSampleSchema, subjects: ["usage.>"], maxAgeMs: 7 * DAY_MS },
  SANDBOX: { schema: SandboxRemovedSchema, subjects: ["sandbox.>"], maxAgeMs: 2 * DAY_MS },
} as const satisfies Record<string, StreamRule>;

export type StreamName = keyof typeof STREAMS;

const DEDUPE_WINDOW_MS = 120_000;
/** JetStream's error code for a stream that does not exist. */
const STREAM_NOT_FOUND = 10_059;

/** Makes the streams that are missing. */
export async function ensureStreams(manager: JetStreamManager, replicas: number): Promise<void> {
  for (const [name, rule] of Object.entries(STREAMS)) {
    try {
      await manager.streams.info(name);
    } catch (error) {
      if (!(error instanceof NatsError && error.api_error?.err_code === STREAM_NOT_FOUND)) {
        throw error;
      }
      // Adding a stream again with the same configuration changes nothing, so services may start side by side.
      await manager.streams.add({
        name,
        subjects: [...rule.subjects],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: replicas,
        max_age: nanos(rule.maxAgeMs),
        duplicate_window: nanos(DEDUPE_WINDOW_MS),
      });
    }
  }
}
