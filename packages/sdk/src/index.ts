export {
  EndReason,
  type File,
  FileType,
  Language,
  Outcome,
  type ProgramError,
  Refusal,
  type Representation,
  type Session,
  SessionState,
  type SessionUsage,
  type Violation,
} from "@codemesh/api";
export { Code } from "@connectrpc/connect";
export { type CodemeshClient, type ConnectOptions, connect } from "./client.js";
export { TransferError } from "./errors.js";
export type { ExecutionEvent, FinishedEvent, OutputEvent, ResultEvent, StartedEvent } from "./events.js";
export type { Completed, Execution, RunOptions } from "./execution.js";
export type { FileContent, ReadOptions, SessionFiles } from "./files.js";
export { type CodeSession, type CodeSessionOptions, codeSession } from "./session.js";
