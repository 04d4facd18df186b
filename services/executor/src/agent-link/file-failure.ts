import { linkpb, Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";

const { FileFailureReason: Reason } = linkpb;

/** The agent could not do what was asked with a file, and why. */
export function refusalFromFileFailure({ reason }: linkpb.FileFailure, path: string): Refusal {
  const entry = path === "" ? "/workspace" : path;
  const refuse = (code: Code, name: string, sentence: string) =>
    new Refusal(code, name, sentence, { metadata: { path } });
  switch (reason) {
    case Reason.NOT_FOUND:
      return refuse(Code.NotFound, "FILE_NOT_FOUND", `There is no ${entry} in this session.`);
    case Reason.NOT_A_FILE:
      return refuse(Code.FailedPrecondition, "NOT_A_FILE", `${entry} is not a regular file.`);
    case Reason.NOT_A_DIRECTORY:
      return refuse(Code.FailedPrecondition, "NOT_A_DIRECTORY", `${entry}, or a part of it, is not a directory.`);
    case Reason.NOT_EMPTY:
      return refuse(
        Code.FailedPrecondition,
        "DIRECTORY_NOT_EMPTY",
        `${entry} is not empty; set recursive to remove it with everything in it.`,
      );
    case Reason.ACCESS_DENIED:
      return refuse(Code.FailedPrecondition, "FILE_ACCESS_DENIED", `The session's user may not do this with ${entry}.`);
    case Reason.NO_SPACE:
      return refuse(Code.ResourceExhausted, "WORKSPACE_FULL", "The workspace is full; remove files and try again.");
    case Reason.PAST_END:
      return refuse(Code.OutOfRange, "OFFSET_PAST_END", `The offset is past the end of ${entry}.`);
    case Reason.CHECKSUM_MISMATCH:
      return refuse(Code.InvalidArgument, "CHECKSUM_MISMATCH", "What arrived is not what was sent; send it again.");
    // OTHER, and whatever number the agent makes up.
    default:
      return refuse(
        Code.Unavailable,
        "EXECUTOR_UNAVAILABLE",
        `The sandbox could not do this with ${entry}; try again.`,
      );
  }
}
