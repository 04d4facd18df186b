import { EndReason, SessionState } from "@codemesh/api";

// The life of a session:
//
//   CREATING ──started──► READY ──stopping──► STOPPING ──terminated──► TERMINATED
//      │                    └──────────────────terminated─────────────────►▲
//      └──────────stopping, terminated────────────────────────────────────►┘
//
//   S1. States come in this order, each at most once; what is TERMINATED never changes.
//   S2. The end reason is there from STOPPING on and is the first one given, whatever comes later.
//   S3. A session belongs to one incarnation of one executor from its first record to its last; another executor gets
//       another session. So news of a sandbox is never taken for news of another one.
//   S4. The deadline counts from the creation and never moves.
//   S5. The end time is there in TERMINATED only and never before the creation, whatever the clocks of replicas say.
//
// A transition that does not apply returns the session it was given, the same object: nothing is to be written then.

/** Why a session ended: any reason but "not yet". */
export type Reason = Exclude<EndReason, EndReason.UNSPECIFIED>;

/** What stays the same from the creation on. */
interface Origin {
  readonly tenant: string;
  readonly id: string;
  /** The executor that holds its sandbox. */
  readonly executor: string;
  /** The incarnation of that executor. */
  readonly incarnation: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Unix time, ms. */
  readonly createTimeMs: number;
}

export interface Creating extends Origin {
  readonly state: SessionState.CREATING;
}

export interface Ready extends Origin {
  readonly state: SessionState.READY;
}

export interface Stopping extends Origin {
  readonly state: SessionState.STOPPING;
  readonly endReason: Reason;
}

export interface Terminated extends Origin {
  readonly state: SessionState.TERMINATED;
  readonly endReason: Reason;
  /** Unix time, ms. */
  readonly endTimeMs: number;
}

export type Session = Creating | Ready | Stopping | Terminated;

/** A session that was asked for just now. */
export function creating(origin: Origin): Creating {
  return { ...origin, state: SessionState.CREATING };
}

/** Its sandbox can run code. */
export function started(session: Session): Session {
  return session.state === SessionState.CREATING ? { ...session, state: SessionState.READY } : session; // S1
}

/** Its sandbox is to be removed. */
export function stopping(session: Session, reason: Reason): Session {
  switch (session.state) {
    case SessionState.CREATING:
    case SessionState.READY:
      return { ...session, state: SessionState.STOPPING, endReason: reason };
    case SessionState.STOPPING:
    case SessionState.TERMINATED:
      return session; // S1, S2
  }
}

/** Its sandbox is gone. */
export function terminated(session: Session, reason: Reason, nowMs: number): Session {
  const endTimeMs = Math.max(nowMs, session.createTimeMs); // S5
  switch (session.state) {
    case SessionState.CREATING:
    case SessionState.READY:
      return { ...session, state: SessionState.TERMINATED, endReason: reason, endTimeMs };
    case SessionState.STOPPING:
      return { ...session, state: SessionState.TERMINATED, endTimeMs }; // S2
    case SessionState.TERMINATED:
      return session; // S1
  }
}

/** When it ends at the latest, Unix time in ms. */
export function expireTimeMs(session: Pick<Origin, "createTimeMs" | "timeoutMs">): number {
  return session.createTimeMs + session.timeoutMs; // S4
}

/** The reason a message gives, taking "none" for a sandbox that ended by itself. */
export function reasonOr(reason: EndReason, otherwise: Reason): Reason {
  return reason === EndReason.UNSPECIFIED ? otherwise : reason;
}
