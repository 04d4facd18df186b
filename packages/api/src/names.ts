import { invalidArgument, type Violation } from "./refusal.js";

// Resource names (AIP-122): `sessions/{session}`, `sessions/{session}/executions/{execution}`. Ids are ULIDs, so that
// names sort by creation.

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const SESSION = /^sessions\/([0-9A-HJKMNP-TV-Z]{26})$/;
const EXECUTION = /^sessions\/([0-9A-HJKMNP-TV-Z]{26})\/executions\/([0-9A-HJKMNP-TV-Z]{26})$/;

/** Whether a text can be the id of a session or an execution. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** `sessions/{session}` of a session's id. */
export function sessionName(sessionId: string): string {
  return `sessions/${sessionId}`;
}

/** `sessions/{session}/executions/{execution}`. */
export function executionName(sessionId: string, executionId: string): string {
  return `sessions/${sessionId}/executions/${executionId}`;
}

/** The id in a session's name, or `undefined` for anything else. */
export function sessionIdFromName(name: string): string | undefined {
  return SESSION.exec(name)?.[1];
}

/** The ids in an execution's name, or `undefined` for anything else. */
export function executionIdsFromName(name: string): { sessionId: string; executionId: string } | undefined {
  const match = EXECUTION.exec(name);
  return match?.[1] !== undefined && match[2] !== undefined
    ? { sessionId: match[1], executionId: match[2] }
    : undefined;
}

/** What is wrong with a field that should name a session, if anything. */
export function sessionNameViolation(field: string, name: string): Violation | undefined {
  return sessionIdFromName(name) === undefined
    ? { field, reason: "SESSION_NAME_INVALID", description: "Must be the name of a session, sessions/{session}." }
    : undefined;
}

/** The id in a session's name; refuses anything else with `INVALID_ARGUMENT` / `SESSION_NAME_INVALID`. */
export function sessionIdOf(field: string, name: string): string {
  const sessionId = sessionIdFromName(name);
  if (sessionId === undefined) {
    throw invalidArgument([sessionNameViolation(field, name) as Violation]);
  }
  return sessionId;
}

/** The ids in an execution's name; refuses anything else with `INVALID_ARGUMENT` / `EXECUTION_NAME_INVALID`. */
export function executionIdsOf(field: string, name: string): { sessionId: string; executionId: string } {
  const ids = executionIdsFromName(name);
  if (ids === undefined) {
    throw invalidArgument([
      {
        field,
        reason: "EXECUTION_NAME_INVALID",
        description: "Must be the name of an execution, sessions/{session}/executions/{execution}.",
      },
    ]);
  }
  return ids;
}
