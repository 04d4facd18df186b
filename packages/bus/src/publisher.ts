import type { JetStreamClient } from "nats";
import type { BusLogger } from "./bus.js";

const MAX_WAITING = 10_000;
const RETRY_MS = 500;
const ACK_LIMIT_MS = 5_000;

interface Waiting {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly messageId: string;
  readonly stored: () => void;
}

/** Events on their way to JetStream. */
export interface Publisher {
  /** Settles when the event is stored. Retried while NATS is away; a derived id makes twice the same as once. */
  publish(subject: string, payload: Uint8Array, messageId: string): Promise<void>;
  /** Settles when everything handed over is stored, or `limitMs` have passed. */
  flush(limitMs: number): Promise<void>;
}

/**
 * Publishes events in the order they were handed over, one acknowledged after the other per subject's session, and keeps
 * up to 10,000 of them in memory while NATS is away; past that the oldest is dropped with an error in the log.
 */
export function createPublisher(jetstream: JetStreamClient, logger: BusLogger): Publisher {
  const lanes = new Map<string, Waiting[]>();
  let waiting = 0;
  let idle: (() => void)[] = [];

  async function drain(lane: string, queue: Waiting[]): Promise<void> {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      try {
        await jetstream.publish(next.subject, next.payload, { msgID: next.messageId, timeout: ACK_LIMIT_MS });
      } catch (error) {
        logger.warn({ err: error, subject: next.subject }, "event not stored yet, trying again");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      if (queue[0] === next) {
        queue.shift();
        waiting -= 1;
      }
      next.stored();
    }
    lanes.delete(lane);
    if (lanes.size === 0) {
      for (const resolve of idle) {
        resolve();
      }
      idle = [];
    }
  }

  return {
    publish(subject, payload, messageId) {
      return new Promise((stored) => {
        const lane = subject.split(".").slice(0, 3).join(".");
        const event = { subject, payload, messageId, stored };
        const queue = lanes.get(lane);
        waiting += 1;
        if (queue === undefined) {
          const fresh = [event];
          lanes.set(lane, fresh);
          void drain(lane, fresh);
          return;
        }
        if (waiting > MAX_WAITING && queue.length > 1) {
          const [dropped] = queue.splice(1, 1);
          waiting -= 1;
          dropped?.stored();
          logger.error({ subject: dropped?.subject }, "event dropped: NATS has been away for too long");
        }
        queue.push(event);
      });
    },
    async flush(limitMs) {
      if (lanes.size === 0) {
        return;
      }
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => idle.push(resolve)),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, limitMs);
        }),
      ]);
      clearTimeout(timer);
    },
  };
}
