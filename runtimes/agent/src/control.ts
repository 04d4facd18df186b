import type { Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import { frames, MAX_FRAME_BYTES, writeFrame } from "@codemesh/link";
import { Context } from "./context.js";
import { dial } from "./dial.js";
import { listDirectory, removeEntry } from "./directory.js";
import { send } from "./download.js";
import { SessionEnvironment } from "./environment.js";
import { fileFailure } from "./file-failure.js";
import { receive } from "./upload.js";

const { ControlReplySchema, ControlRequestSchema } = linkpb;

/** What the executor asks for on the control connection, and the answers. Lives as long as the sandbox. */
export class Control {
  /** Shown when dialling again; empty before the first Welcome. */
  secret: Uint8Array = new Uint8Array();
  private readonly environment = new SessionEnvironment();
  private readonly contexts = new Set<Context>();

  /** Serves one control connection to its end; `onWelcome` when the executor has taken it. */
  async serve(socket: Socket, onWelcome: () => void): Promise<void> {
    for await (const { request } of frames(socket, ControlRequestSchema, MAX_FRAME_BYTES)) {
      switch (request.case) {
        case "welcome":
          this.secret = request.value.secret.slice();
          onWelcome();
          break;
        case "openContext":
          this.open(request.value.token, (stream) => this.addContext(stream));
          break;
        case "openUpload": {
          const { token, path } = request.value;
          this.open(token, (stream) => void receive(stream, path));
          break;
        }
        case "openDownload": {
          const { value } = request;
          this.open(value.token, (stream) => void send(stream, value));
          break;
        }
        case "call":
          void this.answer(socket, request.value);
          break;
        case undefined:
          break;
      }
    }
  }

  private addContext(stream: Socket): void {
    const context: Context = new Context(stream, this.environment, () => this.contexts.delete(context));
    this.contexts.add(context);
  }

  /** A stream that cannot be dialled is the executor's to notice: nobody presents its token. */
  private open(token: Uint8Array, use: (stream: Socket) => void): void {
    void dial({ case: "streamToken", value: token.slice() }).then(use, () => {});
  }

  private async answer(socket: Socket, call: linkpb.Call): Promise<void> {
    const reply = await this.replyTo(call).catch((error: unknown) => ({
      case: "failure" as const,
      value: fileFailure(error),
    }));
    writeFrame(socket, ControlReplySchema, create(ControlReplySchema, { call: call.call, reply }));
  }

  private async replyTo({ work }: linkpb.Call): Promise<linkpb.ControlReply["reply"]> {
    const done = { case: "done" as const, value: create(linkpb.DoneSchema) };
    switch (work.case) {
      case "setEnvironment":
        this.environment.add(work.value.environment);
        await Promise.all([...this.contexts].map((context) => context.setEnvironment(work.value.environment)));
        return done;
      case "listDirectory":
        return { case: "listing", value: await listDirectory(work.value) };
      case "removeEntry":
        await removeEntry(work.value);
        return done;
      case undefined:
        throw new Error("this call is not known here");
    }
  }
}
