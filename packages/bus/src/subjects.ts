import type { LifecycleEvent, SandboxRemoved, UsageSample } from "@codemesh/api";
import { SessionState, sessionIdFromName } from "@codemesh/api";

// A subject is `{stream}.{tenant}.{session}[.{event}]`. Tenants are subject tokens: letters, digits, `-` and `_`.

const TENANT = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a text can be the name of a tenant. */
export function isTenant(text: string): boolean {
  return TENANT.test(text);
}

/** The key of a session's record. */
export function sessionKey(tenant: string, sessionId: string): string {
  return `${tenant}.${sessionId}`;
}

const STATE_EVENTS: Record<SessionState, string> = {
  [SessionState.UNSPECIFIED]: "unspecified",
  [SessionState.CREATING]: "creating",
  [SessionState.READY]: "ready",
  [SessionState.STOPPING]: "stopping",
  [SessionState.TERMINATED]: "terminated",
};

export function lifecycleSubject(event: LifecycleEvent): string {
  const state = event.session?.state ?? SessionState.UNSPECIFIED;
  return `lifecycle.${event.tenant}.${idOf(event.session?.name)}.${STATE_EVENTS[state]}`;
}

export function lifecycleMessageId(event: LifecycleEvent): string {
  return `${idOf(event.session?.name)}-${event.revision}`;
}

export function usageSubject(sample: UsageSample): string {
  return `usage.${sample.tenant}.${idOf(sample.session)}`;
}

export function usageMessageId(sample: UsageSample): string {
  return `${idOf(sample.session)}-${sample.sequence}`;
}

export function sandboxRemovedSubject(event: SandboxRemoved): string {
  return `sandbox.${event.tenant}.${idOf(event.session)}.removed`;
}

export function sandboxRemovedMessageId(event: SandboxRemoved): string {
  return `${idOf(event.session)}-removed`;
}

function idOf(name: string | undefined): string {
  const sessionId = sessionIdFromName(name ?? "");
  if (sessionId === undefined) {
    throw new Error(`${JSON.stringify(name)} is not the name of a session`);
  }
  return sessionId;
}
