import { refusalFromError } from "@codemesh/api";
import type { Transport } from "@connectrpc/connect";

/** Bytes did not arrive as they were sent. */
export class TransferError extends Error {
  override readonly name = "TransferError";
}

/** A transport whose calls fail with a Refusal (code, reason, metadata) whenever the mesh gave one. */
export function refusingTransport(transport: Transport): Transport {
  return {
    async unary(...call) {
      try {
        return await transport.unary(...call);
      } catch (error) {
        throw refusalFromError(error) ?? error;
      }
    },
    async stream(...call) {
      try {
        const response = await transport.stream(...call);
        return { ...response, message: refusing(response.message) };
      } catch (error) {
        throw refusalFromError(error) ?? error;
      }
    },
  };
}

async function* refusing<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw refusalFromError(error) ?? error;
  }
}
