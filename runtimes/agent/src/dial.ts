import { connect, type Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { LINK_DIRECTORY, LINK_PROTOCOL, LINK_SOCKET, writeFrame } from "@codemesh/link";

const TARGET = {
  path: `${LINK_DIRECTORY}/${LINK_SOCKET}`,
  // Two chunks of a file, or eight of output, on their way before the writer waits.
  writableHighWaterMark: 512 << 10,
};

export type Purpose = { case: "controlSecret" | "streamToken"; value: Uint8Array };

/** A connection to the executor that has said what it is for. */
export function dial(purpose: Purpose): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(TARGET);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // The far side may reset a connection at any time; its end is seen by whoever reads it.
      socket.on("error", () => socket.destroy());
      writeFrame(socket, linkpb.HelloSchema, create(linkpb.HelloSchema, { protocol: LINK_PROTOCOL, purpose }));
      resolve(socket);
    });
  });
}
