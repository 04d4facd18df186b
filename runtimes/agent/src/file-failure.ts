import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";

const { FileFailureReason, FileFailureSchema } = linkpb;
const MAX_MESSAGE_LENGTH = 256;

const REASONS: Readonly<Record<string, linkpb.FileFailureReason>> = {
  ENOENT: FileFailureReason.NOT_FOUND,
  ENOTDIR: FileFailureReason.NOT_A_DIRECTORY,
  EISDIR: FileFailureReason.NOT_A_FILE,
  ELOOP: FileFailureReason.NOT_A_FILE,
  ENXIO: FileFailureReason.NOT_A_FILE,
  ENOTEMPTY: FileFailureReason.NOT_EMPTY,
  EACCES: FileFailureReason.ACCESS_DENIED,
  EPERM: FileFailureReason.ACCESS_DENIED,
  EROFS: FileFailureReason.ACCESS_DENIED,
  ENOSPC: FileFailureReason.NO_SPACE,
  EDQUOT: FileFailureReason.NO_SPACE,
};

/** File work that was not done, with the reason to tell. */
export class FileProblem extends Error {
  constructor(
    readonly reason: linkpb.FileFailureReason,
    message: string,
  ) {
    super(message);
  }
}

/** What to tell the executor of an error in file work. */
export function fileFailure(error: unknown): linkpb.FileFailure {
  const reason =
    error instanceof FileProblem
      ? error.reason
      : (REASONS[(error as NodeJS.ErrnoException).code ?? ""] ?? FileFailureReason.OTHER);
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE_LENGTH);
  return create(FileFailureSchema, { reason, message });
}
