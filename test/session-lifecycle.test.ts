import { timestampMs } from "@bufbuild/protobuf/wkt";
import { durationFromMs, EndReason, msFromDuration, Outcome, type Session, SessionState } from "@codemesh/api";
import { describe, expect, it } from "vitest";
import { clients } from "./support/clients.js";
import { containerExists, containerOf } from "./support/containers.js";
import { run } from "./support/executions.js";
import { refusalOf } from "./support/refusals.js";
import { openSession, sessionNamed } from "./support/sessions.js";
import { until } from "./support/until.js";

describe("a session", () => {
  it("is READY with the timeout and labels it was asked for", async () => {
    await using session = await openSession({ timeout: durationFromMs(60_000), labels: { purpose: "test" } });

    expect(session.name).toMatch(/^sessions\/[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(session.created.state).toBe(SessionState.READY);
    expect(session.created.labels).toEqual({ purpose: "test" });
    expect(livesMs(session.created)).toBe(60_000);
    expect(await sessionNamed(session.name)).toEqual(session.created);
  });

  it("lives 900 s when it asks for nothing else", async () => {
    await using session = await openSession();

    expect(livesMs(session.created)).toBe(900_000);
    expect(session.created.timeout && msFromDuration(session.created.timeout)).toBe(900_000);
  });

  it("hands its environment variables to the code", async () => {
    await using session = await openSession({ environment: { GREETING: "grüß dich" } });

    const { stdout } = await run(
      session.name,
      'import os, subprocess\nprint(os.environ["GREETING"], flush=True)\nsubprocess.run(["sh", "-c", "echo $GREETING"])',
    );

    expect(stdout).toBe("grüß dich\ngrüß dich\n");
  });

  it("is listed in pages, oldest first, with the others of its state", async () => {
    await using first = await openSession();
    await using second = await openSession();
    await using third = await openSession();

    const pages = await pagesOf(SessionState.READY, 2);
    const names = pages.flat().map(({ name }) => name);

    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([first.name, second.name, third.name]));
    expect(pages.flat().every(({ state }) => state === SessionState.READY)).toBe(true);
  });

  it("is TERMINATED with its container gone when StopSession returns, and stopping it again changes nothing", async () => {
    const session = await openSession();
    const container = await containerOf(session.name);

    const once = await clients().sessions.stopSession({ name: session.name });
    expect(await containerExists(container)).toBe(false);
    expect(once.session?.state).toBe(SessionState.TERMINATED);
    expect(once.session?.endReason).toBe(EndReason.REQUESTED);
    expect(once.session?.endTime).toBeDefined();

    const twice = await clients().sessions.stopSession({ name: session.name });
    expect(twice).toEqual(once);
    expect(await sessionNamed(session.name)).toEqual(once.session);
  });

  it("refuses to run code after its end and says how it ended", async () => {
    const session = await openSession();
    await clients().sessions.stopSession({ name: session.name });

    const refusal = await refusalOf(run(session.name, "1"));

    expect(refusal).toMatchObject({
      code: "FailedPrecondition",
      reason: "SESSION_NOT_READY",
      metadata: { state: "TERMINATED", end_reason: "REQUESTED" },
    });
  });

  it("is gone, container too, within 2 s of its deadline, and its execution ends as LOST", async () => {
    const session = await openSession({ timeout: durationFromMs(5_000) });
    const container = await containerOf(session.name);
    const deadlineMs = session.created.expireTime === undefined ? 0 : timestampMs(session.created.expireTime);
    const looping = run(session.name, "while True: pass");
    await until(
      "the session and its container are gone",
      async () =>
        (await sessionNamed(session.name)).state === SessionState.TERMINATED && !(await containerExists(container)),
    );
    const goneMs = Date.now();

    expect(goneMs - deadlineMs).toBeGreaterThanOrEqual(0);
    expect(goneMs - deadlineMs).toBeLessThanOrEqual(2_000);
    expect((await sessionNamed(session.name)).endReason).toBe(EndReason.EXPIRED);
    expect((await looping).finished.outcome).toBe(Outcome.LOST);
  });
});

function livesMs({ createTime, expireTime }: Session): number | undefined {
  return createTime && expireTime && timestampMs(expireTime) - timestampMs(createTime);
}

async function pagesOf(state: SessionState, pageSize: number): Promise<Session[][]> {
  const pages: Session[][] = [];
  let pageToken = "";
  do {
    const page = await clients().sessions.listSessions({ pageSize, pageToken, states: [state] });
    pages.push(page.sessions);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return pages;
}
