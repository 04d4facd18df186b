import {
  invalidArgument,
  type PutFileRequest,
  pathViolation,
  Refusal,
  type SandboxFileService,
  sessionIdOf,
  type Violation,
} from "@codemesh/api";
import { callerOf } from "@codemesh/service-kit";
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Work } from "./agent-link/control.js";
import { refusalFromFileFailure } from "./agent-link/file-failure.js";
import type { Sandbox } from "./sandbox/sandbox.js";
import type { SessionLookup } from "./session-lookup.js";

const CALL_LIMIT_MS = 30_000;

/** Does file work inside the sandboxes of this host, with the rights of the code that runs there. */
export function createFileService(lookup: SessionLookup): ServiceImpl<typeof SandboxFileService> {
  async function sandboxOf(session: string, context: HandlerContext): Promise<Sandbox> {
    const sessionId = sessionIdOf("session", session);
    return (await lookup({ tenant: callerOf(context).tenant, sessionId })).sandbox;
  }

  return {
    async putFile(requests, context) {
      const parts = requests[Symbol.asyncIterator]();
      const header = await headerOf(parts);
      checkPath(header.path);
      const sandbox = await sandboxOf(header.session, context);
      const upload = await sandbox.link.openUpload(header.path);
      try {
        for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
          const { part } = next.value;
          if (part.case === "chunk") {
            await upload.write(part.value);
          } else if (part.case === "end") {
            return { file: await upload.end(part.value.sizeBytes, part.value.sha256) };
          } else {
            throw misplaced("After the header come chunks and then an end.");
          }
        }
        throw misplaced("The stream ended before its end message; nothing was written.");
      } finally {
        upload.close();
      }
    },
    async *getFile({ session, path, offset, limit }, context) {
      checkPath(path);
      const sandbox = await sandboxOf(session, context);
      for await (const part of sandbox.link.download(path, offset, limit)) {
        yield { part };
      }
    },
    async listDirectory({ session, path, limit, after }, context) {
      checkPath(path, "may be the workspace");
      const sandbox = await sandboxOf(session, context);
      const reply = await call(sandbox, { case: "listDirectory", value: { path, limit, after } }, path);
      if (reply.case !== "listing") {
        throw unexpected();
      }
      return { files: reply.value.files, more: reply.value.more };
    },
    async removeEntry({ session, path, recursive }, context) {
      checkPath(path);
      const sandbox = await sandboxOf(session, context);
      await call(sandbox, { case: "removeEntry", value: { path, recursive } }, path);
      return {};
    },
  };
}

async function headerOf(parts: AsyncIterator<PutFileRequest>) {
  const first = await parts.next();
  if (first.done === true || first.value.part.case !== "header") {
    throw new Refusal(Code.InvalidArgument, "HEADER_MISSING", "The first message must be a header.");
  }
  return first.value.part.value;
}

/** The agent's answer to short file work, unless it is a failure. */
async function call(sandbox: Sandbox, work: Work, path: string) {
  const { reply } = await sandbox.link.control.call(work, CALL_LIMIT_MS);
  if (reply.case === "failure") {
    throw refusalFromFileFailure(reply.value, path);
  }
  return reply;
}

function checkPath(path: string, empty?: "may be the workspace"): void {
  const violation: Violation | undefined = path === "" && empty !== undefined ? undefined : pathViolation("path", path);
  if (violation !== undefined) {
    throw invalidArgument([violation]);
  }
}

function misplaced(sentence: string): Refusal {
  return new Refusal(Code.InvalidArgument, "STREAM_INVALID", sentence);
}

function unexpected(): Refusal {
  return new Refusal(Code.Unavailable, "EXECUTOR_UNAVAILABLE", "The sandbox gave no answer to this; try again.");
}
