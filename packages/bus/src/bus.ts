import { readFile } from "node:fs/promises";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type LifecycleEvent,
  LifecycleEventSchema,
  type SandboxRemoved,
  SandboxRemovedSchema,
  type UsageSample,
  UsageSampleSchema,
} from "@codemesh/api";
import { connect, type NatsConnection } from "nats";
import { type ConsumeOptions, type Consumption, consume } from "./consumer.js";
import { createPublisher } from "./publisher.js";
import { type Bucket, openRecords, type RecordStore } from "./records.js";
import { ensureStreams, STREAMS, type StreamName } from "./streams.js";
import {
  lifecycleMessageId,
  lifecycleSubject,
  sandboxRemovedMessageId,
  sandboxRemovedSubject,
  usageMessageId,
  usageSubject,
} from "./subjects.js";

const FLUSH_LIMIT_MS = 5_000;
const CONNECT_LIMIT_MS = 5_000;

/** What the bus needs of a logger. */
export interface BusLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface BusOptions {
  /** `nats://host:port`. */
  readonly url: string;
  readonly user: string;
  /** A file that holds the password and perhaps a line end. */
  readonly passwordFile: string;
  /** What the connection is called in the server's lists. */
  readonly name: string;
  /** How many servers keep each stream and bucket. */
  readonly replicas: number;
  readonly logger: BusLogger;
}

/** State and events, kept by NATS JetStream. */
export interface Bus {
  records<Desc extends DescMessage>(bucket: Bucket<Desc>): Promise<RecordStore<MessageShape<Desc>>>;
  publishLifecycle(event: LifecycleEvent): Promise<void>;
  publishUsage(sample: UsageSample): Promise<void>;
  publishSandboxRemoved(event: SandboxRemoved): Promise<void>;
  consume<S extends StreamName>(
    options: { readonly stream: S } & ConsumeOptions<MessageShape<(typeof STREAMS)[S]["schema"]>>,
  ): Promise<Consumption>;
  /** Whether NATS is connected now. */
  connected(): boolean;
  /** Stores what was handed over, for at most 5 s, and disconnects. */
  close(): Promise<void>;
}

/** Connects to NATS and makes the streams that are missing; reconnects by itself for as long as it takes. */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const connection = await connect({
    servers: options.url,
    user: options.user,
    pass: (await readFile(options.passwordFile, "utf8")).trim(),
    name: options.name,
    timeout: CONNECT_LIMIT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
  });
  let connected = true;
  void follow(connection, options.logger, (value) => {
    connected = value;
  });
  const jetstream = connection.jetstream();
  const manager = await connection.jetstreamManager();
  await ensureStreams(manager, options.replicas);
  const publisher = createPublisher(jetstream, options.logger);
  return {
    records: (bucket) => openRecords(jetstream, bucket, options.replicas),
    publishLifecycle: (event) =>
      publisher.publish(lifecycleSubject(event), toBinary(LifecycleEventSchema, event), lifecycleMessageId(event)),
    publishUsage: (sample) =>
      publisher.publish(usageSubject(sample), toBinary(UsageSampleSchema, sample), usageMessageId(sample)),
    publishSandboxRemoved: (event) =>
      publisher.publish(
        sandboxRemovedSubject(event),
        toBinary(SandboxRemovedSchema, event),
        sandboxRemovedMessageId(event),
      ),
    consume: ({ stream, ...rest }) =>
      consume(
        jetstream,
        manager,
        stream,
        STREAMS[stream].schema,
        rest as ConsumeOptions<LifecycleEvent | SandboxRemoved | UsageSample>,
        options.logger,
      ),
    connected: () => connected,
    async close() {
      await publisher.flush(FLUSH_LIMIT_MS);
      await connection.close();
    },
  };
}

async function follow(
  connection: NatsConnection,
  logger: BusLogger,
  onConnected: (connected: boolean) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect" || status.type === "reconnect") {
      onConnected(status.type === "reconnect");
      logger.warn({ server: String(status.data) }, `NATS ${status.type}`);
    }
  }
}
