import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CreateSessionRequestSchema, Session } from "@codemesh/api";
import { type Clients, clients } from "./clients.js";

/** A session that ends with the block it was opened in. */
export interface OpenSession extends AsyncDisposable {
  /** `sessions/{session}`. */
  readonly name: string;
  /** As CreateSession returned it. */
  readonly created: Session;
}

/** Creates a session; disposing of it stops it. */
export async function openSession(
  request: MessageInitShape<typeof CreateSessionRequestSchema> = {},
  by: Clients = clients(),
): Promise<OpenSession> {
  const { session } = await by.sessions.createSession(request);
  if (session === undefined) {
    throw new Error("CreateSession returned no session.");
  }
  return {
    name: session.name,
    created: session,
    async [Symbol.asyncDispose]() {
      await by.sessions.stopSession({ name: session.name });
    },
  };
}

/** Shows a session. */
export async function sessionNamed(name: string, by: Clients = clients()): Promise<Session> {
  const { session } = await by.sessions.getSession({ name });
  if (session === undefined) {
    throw new Error("GetSession returned no session.");
  }
  return session;
}
