import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Language } from "@codemesh/api";
import { LINK_SOCKET } from "@codemesh/link";
import { ContextStream } from "./context-stream.js";
import { Control } from "./control.js";
import { type DownloadPiece, downloadPieces } from "./download-stream.js";
import { readHello } from "./hello.js";
import { StreamTokens } from "./stream-tokens.js";
import { UploadStream } from "./upload-stream.js";
import type { LinkViolation } from "./violation.js";

/** How many connections of one sandbox, beside those asked for, may be open without having said what they are for. */
const MAX_STRANGERS = 8;
/** Dialling a unix socket whose backlog is full fails at once, so there is room for all streams an agent may be asked for. */
const BACKLOG = 128;

export interface AgentLinkEvents {
  /** The agent has dialled control, for the first time or again. */
  readonly connected: () => void;
  /** Control is gone; the agent may dial again. */
  readonly lost: () => void;
  /** The agent broke the rules; whoever it belongs to ends the sandbox. */
  readonly violated: (violation: LinkViolation) => void;
}

// One listener per sandbox: whoever connects is from that sandbox, whatever else it says. The directory holds nothing but
// the socket and is mounted read-only in the sandbox, so that a socket made again at the same path is found and nothing
// can be put in its place.

/** The host's side of the link to one sandbox's agent. */
export class AgentLink {
  readonly control: Control;
  readonly #directory: string;
  readonly #tokens = new StreamTokens();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #strangers = 0;

  private constructor(directory: string, events: AgentLinkEvents) {
    this.#directory = directory;
    this.control = new Control(events);
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  /** Makes the directory and listens in it. */
  static async listen(directory: string, events: AgentLinkEvents): Promise<AgentLink> {
    const link = new AgentLink(directory, events);
    await mkdir(directory, { mode: 0o711 });
    // The mode of mkdir is cut by the umask. Others may pass through but not look.
    await chmod(directory, 0o711);
    const path = join(directory, LINK_SOCKET);
    await new Promise<void>((resolve, reject) => {
      link.#server.once("error", reject);
      link.#server.listen({ path, backlog: BACKLOG }, resolve);
    });
    // Connecting takes the right to write.
    await chmod(path, 0o666);
    return link;
  }

  /** Has the agent start an interpreter; its stream tells when it can run code. */
  async openContext(language: Language): Promise<ContextStream> {
    const { token, socket } = this.#tokens.expect();
    this.control.send({ case: "openContext", value: { token, language } });
    return new ContextStream(await socket);
  }

  /** Has the agent receive a file. */
  async openUpload(path: string): Promise<UploadStream> {
    const { token, socket } = this.#tokens.expect();
    this.control.send({ case: "openUpload", value: { token, path } });
    return new UploadStream(await socket, path);
  }

  /** Has the agent send a file: `{ case: "file" }` first, then chunks. */
  async *download(path: string, offset: bigint, limit: bigint): AsyncGenerator<DownloadPiece, void> {
    const { token, socket } = this.#tokens.expect();
    this.control.send({ case: "openDownload", value: { token, path, offset, limit } });
    yield* downloadPieces(await socket, path, limit);
  }

  /** Stops listening, ends every connection and removes the directory. */
  async close(): Promise<void> {
    this.#server.close();
    this.control.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#tokens.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    // First of all: a sandbox that resets a connection is no fault of ours.
    socket.on("error", () => socket.destroy());
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#strangers >= MAX_STRANGERS + this.#tokens.expected) {
      socket.destroy();
      return;
    }
    this.#strangers++;
    readHello(socket)
      .then((purpose) => {
        const admitted =
          purpose.case === "controlSecret"
            ? this.control.admit(socket, purpose.value)
            : this.#tokens.redeem(purpose.value, socket);
        if (!admitted) {
          socket.destroy();
        }
      })
      .catch(() => socket.destroy())
      .finally(() => {
        this.#strangers--;
      });
  }
}
