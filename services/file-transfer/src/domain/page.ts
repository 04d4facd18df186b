import { MAX_PATH_COMPONENT_BYTES } from "@codemesh/api";

const DEFAULT_PAGE_SIZE = 1_000;
const MAX_PAGE_SIZE = 10_000;
/** A page of the longest paths still fits into one message (MAX_MESSAGE_BYTES) with room to spare. */
const MAX_PAGE_BYTES = 6 << 20;
/** What an entry takes besides its path: type, size, time and their tags. */
const ENTRY_BYTES = 64;

/** How many entries to put on a page of a directory; fewer than asked when its path is long. */
export function entriesOnPage(pageSize: number, directory: string): number {
  const asked = pageSize === 0 ? DEFAULT_PAGE_SIZE : Math.min(pageSize, MAX_PAGE_SIZE);
  const pathBytes = new TextEncoder().encode(directory).length + 1 + MAX_PATH_COMPONENT_BYTES;
  return Math.min(asked, Math.floor(MAX_PAGE_BYTES / (pathBytes + ENTRY_BYTES)));
}

/** The token of the page that begins after the entry with this path. */
export function pageTokenAfter(path: string): string {
  const name = new TextEncoder().encode(path.slice(path.lastIndexOf("/") + 1));
  return btoa(String.fromCharCode(...name))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The name that a page begins after, empty for the first page; `undefined` when no page has such a token. */
export function nameFromPageToken(token: string): string | undefined {
  if (token === "") {
    return "";
  }
  try {
    const bytes = Uint8Array.from(atob(token.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return bytes.length <= MAX_PATH_COMPONENT_BYTES && pageTokenAfter(name) === token ? name : undefined;
  } catch {
    return undefined;
  }
}
