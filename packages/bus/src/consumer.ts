import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  nanos,
} from "nats";
import type { BusLogger } from "./bus.js";
import type { StreamName } from "./streams.js";

const ACK_WAIT_MS = 30_000;
const RETRY_MS = 1_000;

export interface ConsumeOptions<M> {
  /** The name replicas of one service share; each event goes to one of them. */
  readonly durable: string;
  /** How many events may be on their way at once. */
  readonly batch?: number;
  /** Called for one event after the other; the event is acknowledged when it settles and comes again when it throws. */
  readonly handler: (event: M, info: { readonly streamSequence: bigint }) => Promise<void>;
}

export interface Consumption {
  stop(): Promise<void>;
}

/** Reads a stream durably from its beginning: at least once, so handlers make twice the same as once. */
export async function consume<Desc extends DescMessage>(
  jetstream: JetStreamClient,
  manager: JetStreamManager,
  stream: StreamName,
  schema: Desc,
  options: ConsumeOptions<MessageShape<Desc>>,
  logger: BusLogger,
): Promise<Consumption> {
  await manager.consumers.add(stream, {
    durable_name: options.durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: Math.max(1_000, options.batch ?? 0),
  });
  const consumer = await jetstream.consumers.get(stream, options.durable);
  let stopped = false;
  let messages: ConsumerMessages | undefined;
  const reading = (async () => {
    while (!stopped) {
      try {
        messages = await consumer.consume({ max_messages: options.batch ?? 100 });
        for await (const message of messages) {
          try {
            await options.handler(fromBinary(schema, message.data), { streamSequence: BigInt(message.seq) });
            message.ack();
          } catch (error) {
            logger.error({ err: error, subject: message.subject, sequence: message.seq }, "event not handled, again");
            message.nak(RETRY_MS);
          }
        }
      } catch (error) {
        logger.warn({ err: error, stream }, "reading the stream broke off, again");
      }
      if (!stopped) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  })();
  return {
    async stop() {
      stopped = true;
      await messages?.close();
      await reading;
    },
  };
}
