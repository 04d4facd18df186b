import {
  DEFAULT_SESSION_TIMEOUT_MS,
  invalidArgument,
  MAX_SESSION_TIMEOUT_MS,
  MIN_SESSION_TIMEOUT_MS,
  msFromDuration,
  type Violation,
} from "@codemesh/api";

const MAX_VARIABLES = 256;
const MAX_ENVIRONMENT_BYTES = 64 << 10;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_LABELS = 32;
const LABEL_KEY = /^[a-z0-9._/-]{1,63}$/;
const MAX_LABEL_VALUE_CHARACTERS = 255;

const encoder = new TextEncoder();

/** What a CreateSessionRequest says. */
export interface CreateRequest {
  readonly timeout?: { readonly seconds: bigint; readonly nanos: number } | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A session as it was asked for. */
export interface CreateOrder {
  /** From 1,000 to 28,800,000. */
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The session a request asks for; refuses everything that is wrong with it at once. */
export function createOrder(request: CreateRequest): CreateOrder {
  const timeoutMs = request.timeout === undefined ? DEFAULT_SESSION_TIMEOUT_MS : msFromDuration(request.timeout);
  const faults: (Violation | undefined)[] = [
    timeoutViolation(timeoutMs),
    environmentViolation(request.environment),
    labelsViolation(request.labels),
  ];
  const [first, ...rest] = faults.filter((fault) => fault !== undefined);
  if (first !== undefined) {
    throw invalidArgument([first, ...rest]);
  }
  return { timeoutMs, environment: request.environment, labels: request.labels };
}

function timeoutViolation(timeoutMs: number): Violation | undefined {
  return timeoutMs >= MIN_SESSION_TIMEOUT_MS && timeoutMs <= MAX_SESSION_TIMEOUT_MS
    ? undefined
    : { field: "timeout", reason: "TIMEOUT_OUT_OF_RANGE", description: "Must be from 1 s to 28800 s (8 h)." };
}

function environmentViolation(environment: Readonly<Record<string, string>>): Violation | undefined {
  const variables = Object.entries(environment);
  const sizeBytes = variables.reduce(
    (sum, [name, value]) => sum + encoder.encode(name).length + encoder.encode(value).length,
    0,
  );
  const faults = [
    variables.length > MAX_VARIABLES && `Must have at most ${MAX_VARIABLES} variables; it has ${variables.length}.`,
    sizeBytes > MAX_ENVIRONMENT_BYTES &&
      `Must have at most ${MAX_ENVIRONMENT_BYTES} bytes in names and values; it has ${sizeBytes}.`,
    fault(
      `Names must match ${VARIABLE_NAME.source.slice(1, -1)}`,
      variables.filter(([name]) => !VARIABLE_NAME.test(name)),
    ),
    fault(
      "Values must have no NUL in them",
      variables.filter(([, value]) => value.includes("\0")),
    ),
  ];
  return violation("environment", "ENVIRONMENT_INVALID", faults);
}

function labelsViolation(labels: Readonly<Record<string, string>>): Violation | undefined {
  const pairs = Object.entries(labels);
  const faults = [
    pairs.length > MAX_LABELS && `Must be at most ${MAX_LABELS}; there are ${pairs.length}.`,
    fault(
      "Keys must be 1 to 63 characters from [a-z0-9._/-]",
      pairs.filter(([key]) => !LABEL_KEY.test(key)),
    ),
    fault(
      `Values must be up to ${MAX_LABEL_VALUE_CHARACTERS} characters`,
      pairs.filter(([, value]) => isLongerThan(value, MAX_LABEL_VALUE_CHARACTERS)),
    ),
  ];
  return violation("labels", "LABELS_INVALID", faults);
}

function violation(field: string, reason: string, faults: readonly (string | false)[]): Violation | undefined {
  const found = faults.filter((text) => text !== false);
  return found.length === 0 ? undefined : { field, reason, description: found.join(" ") };
}

/** A rule and the first entry that breaks it; `false` when none does. */
function fault(rule: string, breakers: readonly (readonly [string, string])[]): string | false {
  const [first, ...others] = breakers;
  if (first === undefined) {
    return false;
  }
  const also = others.length === 0 ? "" : ` and ${others.length} more`;
  return `${rule}; not so ${JSON.stringify(first[0].slice(0, 64))}${also}.`;
}

/** Counts characters, not UTF-16 units, and no further than it must. */
function isLongerThan(text: string, characters: number): boolean {
  return text.length > 2 * characters || [...text].length > characters;
}
