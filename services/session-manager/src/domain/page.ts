import { invalidArgument, SessionState, type Violation } from "@codemesh/api";

// A page of a tenant's sessions. The token holds the id of the last session shown and the filter it was shown under, so
// that pages stay true while sessions come, change and go: none that stays in the filter is shown twice or left out.

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1_000;
const TOKEN = /^1 ([0-9A-HJKMNP-TV-Z]{26}) ([0-9.]*)$/;
const STATES: ReadonlySet<SessionState> = new Set([
  SessionState.CREATING,
  SessionState.READY,
  SessionState.STOPPING,
  SessionState.TERMINATED,
]);

/** What a ListSessionsRequest says. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly states: readonly SessionState[];
}

/** Which page is wanted. */
export interface PageOrder {
  /** From 1 to 1,000. */
  readonly size: number;
  /** Only sessions with a greater id; empty for the first page. */
  readonly after: string;
  /** Only sessions in one of these states; empty means all. */
  readonly states: ReadonlySet<SessionState>;
}

export interface Page {
  readonly ids: readonly string[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

/** The page a request asks for; refuses everything that is wrong with it at once. */
export function pageOrder(request: PageRequest): PageOrder {
  const violations: Violation[] = [];
  if (request.pageSize < 0) {
    violations.push({ field: "page_size", reason: "PAGE_SIZE_NEGATIVE", description: "Must be 0 or more." });
  }
  if (request.states.some((state) => !STATES.has(state))) {
    violations.push({
      field: "states",
      reason: "STATES_INVALID",
      description: "Must be states that a session can be in: CREATING, READY, STOPPING, TERMINATED.",
    });
  }
  const states = new Set(request.states);
  const after = request.pageToken === "" ? "" : lastShown(request.pageToken, states);
  if (after === undefined) {
    violations.push({
      field: "page_token",
      reason: "PAGE_TOKEN_INVALID",
      description: "Must be the next_page_token of a page with the same states, or empty.",
    });
  }
  const [first, ...rest] = violations;
  if (first !== undefined) {
    throw invalidArgument([first, ...rest]);
  }
  return { size: sizeOf(request.pageSize), after: after ?? "", states };
}

/** The wanted page of ids, which are in ascending order. */
export function pageOf(ids: readonly string[], order: PageOrder, stateOf: (id: string) => SessionState): Page {
  const shown: string[] = [];
  for (let at = order.after === "" ? 0 : positionAfter(ids, order.after); at < ids.length; at++) {
    const id = ids[at] as string;
    if (order.states.size > 0 && !order.states.has(stateOf(id))) {
      continue;
    }
    if (shown.length === order.size) {
      return { ids: shown, nextToken: tokenFrom(shown.at(-1) as string, order.states) };
    }
    shown.push(id);
  }
  return { ids: shown, nextToken: "" };
}

/** Where the first id greater than this one stands in ascending ids. */
export function positionAfter(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as string) <= id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function sizeOf(pageSize: number): number {
  return pageSize === 0 ? DEFAULT_PAGE_SIZE : Math.min(pageSize, MAX_PAGE_SIZE);
}

function tokenFrom(lastId: string, states: ReadonlySet<SessionState>): string {
  return btoa(`1 ${lastId} ${filterText(states)}`);
}

function lastShown(token: string, states: ReadonlySet<SessionState>): string | undefined {
  const match = TOKEN.exec(decoded(token));
  return match?.[2] === filterText(states) ? match[1] : undefined;
}

function filterText(states: ReadonlySet<SessionState>): string {
  return [...states].sort().join(".");
}

function decoded(token: string): string {
  try {
    return atob(token);
  } catch {
    return "";
  }
}
