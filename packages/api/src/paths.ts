import type { Violation } from "./refusal.js";

/** The longest path, bytes of UTF-8. */
export const MAX_PATH_BYTES = 4096;
/** The longest component of a path, bytes of UTF-8. */
export const MAX_PATH_COMPONENT_BYTES = 255;

const encoder = new TextEncoder();

/** What is wrong with a workspace path, if anything. The rules are those of codemesh.file.v1.FileService. */
export function pathViolation(field: string, path: string): Violation | undefined {
  const wrong = faultOf(path);
  return wrong === undefined
    ? undefined
    : { field, reason: "PATH_INVALID", description: `Must be a path relative to /workspace; ${wrong}.` };
}

function faultOf(path: string): string | undefined {
  if (path === "") {
    return "this one is empty";
  }
  if (path.startsWith("/")) {
    return "this one is absolute";
  }
  if (path.includes("\0")) {
    return "this one has a NUL in it";
  }
  if (encoder.encode(path).length > MAX_PATH_BYTES) {
    return `this one is longer than ${MAX_PATH_BYTES} bytes`;
  }
  for (const component of path.split("/")) {
    if (component === "" || component === "." || component === "..") {
      return `"${component}" cannot be a part of it`;
    }
    if (encoder.encode(component).length > MAX_PATH_COMPONENT_BYTES) {
      return `a part of this one is longer than ${MAX_PATH_COMPONENT_BYTES} bytes`;
    }
  }
  return undefined;
}
