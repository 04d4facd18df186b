// The limits that more than one part must agree on. Each is enforced on the host.

/** The largest file content moved inline, bytes (100 MiB). */
export const MAX_INLINE_FILE_BYTES = 104_857_600;
/** The largest chunk of a file in one message, bytes. */
export const MAX_CHUNK_BYTES = 1 << 20;
/** The largest source of one execution, bytes of UTF-8 (1 MiB). */
export const MAX_SOURCE_BYTES = 1 << 20;
/** The largest message a service reads, bytes. A source over its own limit still fits, so that it gets its own answer. */
export const MAX_MESSAGE_BYTES = 8 << 20;
/** The shortest life of a session, ms. */
export const MIN_SESSION_TIMEOUT_MS = 1_000;
/** The life of a session that asked for none, ms (15 min). */
export const DEFAULT_SESSION_TIMEOUT_MS = 900_000;
/** The longest life of a session, and of an execution in it, ms (8 h). */
export const MAX_SESSION_TIMEOUT_MS = 28_800_000;
