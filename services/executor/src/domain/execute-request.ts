import {
  type ExecuteRequest,
  Language,
  MAX_SESSION_TIMEOUT_MS,
  MAX_SOURCE_BYTES,
  msFromDuration,
  sessionNameViolation,
  type Violation,
} from "@codemesh/api";

const encoder = new TextEncoder();

/** Everything that is wrong with a request to run something. */
export function executeRequestViolations(request: ExecuteRequest): Violation[] {
  return [
    sessionNameViolation("session", request.session),
    ...workViolations(request),
    timeoutViolation(request),
  ].filter((violation) => violation !== undefined);
}

/** How long it may run, ms; `undefined` means as long as the session lives. */
export function timeoutMsOf(request: ExecuteRequest): number | undefined {
  return request.timeout === undefined ? undefined : msFromDuration(request.timeout);
}

function workViolations(request: ExecuteRequest): (Violation | undefined)[] {
  if (request.work.case === undefined) {
    return [{ field: "work", reason: "WORK_MISSING", description: "Must say what to run: set code." }];
  }
  const { language, source } = request.work.value;
  return [languageViolation(language), sourceViolation(source)];
}

function languageViolation(language: Language): Violation | undefined {
  return language === Language.PYTHON
    ? undefined
    : { field: "code.language", reason: "LANGUAGE_UNSUPPORTED", description: "Must be LANGUAGE_PYTHON." };
}

function sourceViolation(source: string): Violation | undefined {
  if (source === "") {
    return { field: "code.source", reason: "SOURCE_EMPTY", description: "Must be at least 1 byte." };
  }
  const sizeBytes = utf8Length(source);
  return sizeBytes <= MAX_SOURCE_BYTES
    ? undefined
    : {
        field: "code.source",
        reason: "SOURCE_TOO_LARGE",
        description: `Must be at most ${MAX_SOURCE_BYTES} bytes; this is ${sizeBytes}. Write a file and run that.`,
      };
}

function timeoutViolation({ timeout }: ExecuteRequest): Violation | undefined {
  if (timeout === undefined) {
    return undefined;
  }
  const ms = msFromDuration(timeout);
  return timeout.nanos >= 0 && ms >= 1 && ms <= MAX_SESSION_TIMEOUT_MS
    ? undefined
    : {
        field: "timeout",
        reason: "TIMEOUT_OUT_OF_RANGE",
        description: `Must be from 0.001 s to ${MAX_SESSION_TIMEOUT_MS / 1000} s.`,
      };
}

/** The length in bytes of UTF-8; a UTF-16 unit takes at most three, so that short texts need no encoding. */
function utf8Length(text: string): number {
  return text.length * 3 <= MAX_SOURCE_BYTES ? text.length : encoder.encode(text).length;
}
