import { EventEmitter, on, setMaxListeners } from "node:events";
import { healthpb, Refusal } from "@codemesh/api";
import { Code, type ConnectRouter } from "@connectrpc/connect";

const { Health, HealthCheckResponse_ServingStatus: Status } = healthpb;

/** The state of a server, as grpc.health.v1 tells it. */
export interface HealthState {
  /** Says of every service at once whether it answers. */
  setServing(serving: boolean): void;
  /** Ends all watches, which have no end of their own. */
  close(): void;
  /** Adds grpc.health.v1.Health to a router. */
  route(router: ConnectRouter): void;
}

/** Creates the state of a server with these services, not serving yet. */
export function createHealthState(serviceNames: readonly string[]): HealthState {
  const names = new Set(["", ...serviceNames]);
  const changes = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  let serving = false;
  const statusOf = (name: string) =>
    names.has(name) ? (serving ? Status.SERVING : Status.NOT_SERVING) : Status.SERVICE_UNKNOWN;

  return {
    setServing(value) {
      serving = value;
      changes.emit("change");
    },
    close() {
      closing.abort();
    },
    route(router) {
      router.service(Health, {
        check({ service }) {
          if (!names.has(service)) {
            throw new Refusal(Code.NotFound, "SERVICE_UNKNOWN", `There is no service ${service} here.`, {
              metadata: { service },
            });
          }
          return { status: statusOf(service) };
        },
        list() {
          return { statuses: Object.fromEntries([...names].map((name) => [name, { status: statusOf(name) }])) };
        },
        async *watch({ service }, context) {
          const ending = AbortSignal.any([context.signal, closing.signal]);
          const waiting = on(changes, "change", { signal: ending });
          let last = statusOf(service);
          yield { status: last };
          try {
            for await (const _ of waiting) {
              const now = statusOf(service);
              if (now !== last) {
                last = now;
                yield { status: now };
              }
            }
          } catch (error) {
            if (!ending.aborted) {
              throw error;
            }
          }
        },
      });
    },
  };
}
