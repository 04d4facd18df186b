import type { FileService } from "@codemesh/api";
import { callerOf, forward } from "@codemesh/service-kit";
import type { ServiceImpl } from "@connectrpc/connect";
import { entriesOnPage, nameFromPageToken, pageTokenAfter } from "./domain/page.js";
import { checkListFiles, checkRemoveFile } from "./domain/requests.js";
import { readFile } from "./read-file.js";
import { errorOfExecutor, type SandboxFiles } from "./sandbox-files.js";
import { writeFile } from "./write-file.js";

/** codemesh.file.v1.FileService: checks, counts and hashes on this host; the executor does the work in the sandbox. */
export function createFileService(sandboxes: SandboxFiles): ServiceImpl<typeof FileService> {
  return {
    writeFile: (requests, context) => writeFile(sandboxes, requests, context),

    readFile: (request, context) => readFile(sandboxes, request, context),

    async listFiles(request, context) {
      checkListFiles(request);
      const { session, path } = request;
      const sandbox = await sandboxes.clientOf(callerOf(context).tenant, session);
      const { files, more } = await sandbox
        .listDirectory(
          {
            session,
            path,
            limit: entriesOnPage(request.pageSize, path),
            after: nameFromPageToken(request.pageToken) ?? "",
          },
          forward(context),
        )
        .catch(rethrow);
      const last = files.at(-1);
      return { files, nextPageToken: more && last !== undefined ? pageTokenAfter(last.path) : "" };
    },

    async removeFile(request, context) {
      checkRemoveFile(request);
      const { session, path, recursive } = request;
      const sandbox = await sandboxes.clientOf(callerOf(context).tenant, session);
      await sandbox.removeEntry({ session, path, recursive }, forward(context)).catch(rethrow);
      return {};
    },
  };
}

function rethrow(error: unknown): never {
  throw errorOfExecutor(error);
}
