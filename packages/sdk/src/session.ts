import { durationFromMs, type SessionUsage } from "@codemesh/api";
import { type CodemeshClient, type ConnectOptions, connect } from "./client.js";
import { type Completed, type Execution, type RunOptions, startExecution } from "./execution.js";
import { filesOf, type SessionFiles } from "./files.js";

export interface CodeSessionOptions extends ConnectOptions {
  /** A client to use and leave open. Default: a new one, closed with the session. */
  readonly client?: CodemeshClient;
  /** How long the session may live, ms, 1 s to 8 h. Default: 15 min. */
  readonly timeoutMs?: number;
  /** Environment variables of everything that runs in the session. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Gives up creating the session. */
  readonly signal?: AbortSignal;
}

/** A live interpreter in a sandbox of its own. Leaving its `await using` scope stops it. */
export interface CodeSession extends AsyncDisposable {
  /** `sessions/{session}`. */
  readonly name: string;
  readonly files: SessionFiles;
  /** Runs code; what it defines stays for the next run. */
  run(source: string, options?: RunOptions): Execution;
  /** Runs code and collects everything it says. */
  runToEnd(source: string, options?: RunOptions): Promise<Completed>;
  /** What the session has used so far, or in all once it has ended. */
  usage(): Promise<SessionUsage>;
  /** Ends the session; its sandbox is gone when this settles. Stopping the stopped changes nothing. */
  stop(): Promise<void>;
}

/** Opens a session: `await using session = await codeSession()`. */
export async function codeSession(options: CodeSessionOptions = {}): Promise<CodeSession> {
  const client = options.client ?? connect(options);
  const closeOwn = () => {
    if (options.client === undefined) {
      client.close();
    }
  };
  try {
    return sessionOf(client, await create(client, options), closeOwn);
  } catch (error) {
    closeOwn();
    throw error;
  }
}

async function create(client: CodemeshClient, options: CodeSessionOptions): Promise<string> {
  const { timeoutMs, environment = {}, labels = {}, signal } = options;
  const { session } = await client.sessions.createSession(
    {
      environment: { ...environment },
      labels: { ...labels },
      ...(timeoutMs === undefined ? {} : { timeout: durationFromMs(timeoutMs) }),
    },
    signal === undefined ? {} : { signal },
  );
  if (session === undefined) {
    throw new Error("The mesh answered without a session.");
  }
  return session.name;
}

function sessionOf(client: CodemeshClient, name: string, closeOwn: () => void): CodeSession {
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= client.sessions.stopSession({ name }).then(
      () => {},
      (error: unknown) => {
        // A stop that failed may be tried again.
        stopping = undefined;
        throw error;
      },
    );
    return stopping;
  };
  const run = (source: string, options?: RunOptions) => startExecution(client, name, source, options);
  return {
    name,
    files: filesOf(client, name),
    run,
    runToEnd: (source, options) => run(source, options).toEnd(),
    async usage() {
      const { usage } = await client.metering.getSessionUsage({ session: name });
      if (usage === undefined) {
        throw new Error("The mesh answered without a usage.");
      }
      return usage;
    },
    stop,
    async [Symbol.asyncDispose]() {
      try {
        await stop();
      } finally {
        closeOwn();
      }
    },
  };
}
