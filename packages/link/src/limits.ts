/** The version of codemesh.link.v1 that both sides speak. */
export const LINK_PROTOCOL = 1;
/** The largest message on a link, bytes. */
export const MAX_FRAME_BYTES = 1 << 20;
/** The largest first message of a connection, bytes. */
export const MAX_HELLO_BYTES = 256;
/** The largest piece of output in one event, bytes. */
export const MAX_OUTPUT_BYTES = 64 << 10;
/** Where a sandbox finds the directory with its socket. */
export const LINK_DIRECTORY = "/run/codemesh";
/** The socket's name in that directory. */
export const LINK_SOCKET = "l.sock";
