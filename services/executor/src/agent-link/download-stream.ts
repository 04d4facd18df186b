import type { Socket } from "node:net";
import { type File, linkpb } from "@codemesh/api";
import { frames, MAX_FRAME_BYTES } from "@codemesh/link";
import { refusalFromFileFailure } from "./file-failure.js";
import { brokenOff } from "./unavailable.js";
import { LinkViolation } from "./violation.js";

const STALL_LIMIT_MS = 30_000;

/** A piece of a file on its way out of a sandbox: the header first, then bytes. */
export type DownloadPiece =
  | { readonly case: "file"; readonly value: File }
  | { readonly case: "chunk"; readonly value: Uint8Array };

/**
 * The pieces of a file as they arrive on a paused socket; the end without an error is the end of the content.
 *
 * Reads no faster than it is read. The byte limit is held here, whatever the agent sends.
 */
export async function* downloadPieces(socket: Socket, path: string, limitBytes: bigint): AsyncGenerator<DownloadPiece> {
  const parts = frames(socket, linkpb.DownloadPartSchema, MAX_FRAME_BYTES)[Symbol.asyncIterator]();
  let begun = false;
  let leftBytes = limitBytes;
  try {
    for (;;) {
      const { done, value } = await nextPart(socket, parts);
      if (done === true) {
        throw brokenOff();
      }
      const { part } = value;
      if (part.case === "failure") {
        throw refusalFromFileFailure(part.value, path);
      }
      if (part.case === undefined || (part.case === "file") === begun) {
        throw brokenOff(new LinkViolation("a part of a download out of its place"));
      }
      begun = true;
      if (part.case === "end") {
        return;
      }
      if (part.case === "chunk") {
        leftBytes -= BigInt(part.value.length);
        if (leftBytes < 0n) {
          throw brokenOff(new LinkViolation("more of a file than was asked for"));
        }
      }
      yield part;
    }
  } finally {
    socket.destroy();
  }
}

async function nextPart(
  socket: Socket,
  parts: AsyncIterator<linkpb.DownloadPart>,
): Promise<IteratorResult<linkpb.DownloadPart>> {
  const limit = setTimeout(() => socket.destroy(), STALL_LIMIT_MS);
  try {
    return await parts.next();
  } catch (cause) {
    throw brokenOff(cause);
  } finally {
    clearTimeout(limit);
  }
}
