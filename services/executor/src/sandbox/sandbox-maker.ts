import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Language } from "@codemesh/api";
import type { Logger } from "@codemesh/service-kit";
import { AgentLink } from "../agent-link/agent-link.js";
import { nextUid, type UidRange } from "../domain/uid-range.js";
import { Interpreter } from "../interpreter/interpreter.js";
import { type Cgroup, openCgroup } from "./cgroup.js";
import type { SandboxLimits } from "./container-spec.js";
import type { DockerEngine } from "./docker-engine.js";
import { initProcess } from "./init-process.js";
import { Sandbox } from "./sandbox.js";

const START_LIMIT_MS = 60_000;
const ID_BYTES = 8;

export interface SandboxMakerOptions {
  readonly engine: DockerEngine;
  /** The runtime image's id. */
  readonly image: string;
  readonly instance: string;
  readonly executor: string;
  /** The executor's own directory; link directories lie in `links` under it. */
  readonly dataDirectory: string;
  readonly uids: UidRange;
  readonly limits: SandboxLimits;
  readonly cgroupRoot: string;
  readonly logger: Logger;
}

/** Makes sandboxes that can run Python. */
export interface SandboxMaker {
  /** A started sandbox with a live Python interpreter; throws, and leaves nothing behind, when it does not come up. */
  make(): Promise<Sandbox>;
  /** The sandboxes that are being made, are there, or are being removed. */
  known(): ReadonlySet<string>;
}

/** Removes what sandboxes of an earlier life left in the data directory. */
export async function clearLinks(dataDirectory: string): Promise<void> {
  const links = linksDirectory(dataDirectory);
  await rm(links, { recursive: true, force: true });
  // Only the executor passes here on the host.
  await mkdir(links, { recursive: true, mode: 0o700 });
}

function linksDirectory(dataDirectory: string): string {
  return join(dataDirectory, "links");
}

/** Creates the maker; `clearLinks` comes first. */
export function createSandboxMaker(options: SandboxMakerOptions): SandboxMaker {
  const known = new Set<string>();
  const uidsTaken = new Set<number>();
  let nextUidFrom = options.uids.base;

  function takeUid(): number {
    const uid = nextUid(options.uids, nextUidFrom, uidsTaken);
    if (uid === undefined) {
      throw new Error(`All ${options.uids.count} user ids of sandboxes are taken.`);
    }
    uidsTaken.add(uid);
    nextUidFrom = uid + 1;
    return uid;
  }

  async function make(): Promise<Sandbox> {
    const id = randomBytes(ID_BYTES).toString("hex");
    const uid = takeUid();
    known.add(id);
    const undo: (() => Promise<unknown>)[] = [];
    const remove = async () => {
      const results: PromiseSettledResult<unknown>[] = [];
      for (const step of undo.reverse()) {
        results.push(...(await Promise.allSettled([step()])));
      }
      // From here on a container that the engine did not remove is an orphan, which the sweep takes.
      known.delete(id);
      uidsTaken.delete(uid);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) {
        throw failed.reason;
      }
    };
    try {
      return await startUnder(id, uid, undo, remove);
    } catch (error) {
      await remove().catch((cause: unknown) => options.logger.warn({ sandbox: id, err: cause }, "left to the sweep"));
      throw error;
    }
  }

  async function startUnder(
    id: string,
    uid: number,
    undo: (() => Promise<unknown>)[],
    remove: () => Promise<void>,
  ): Promise<Sandbox> {
    const { engine } = options;
    const linkDirectory = join(linksDirectory(options.dataDirectory), id);
    let sandbox: Sandbox | undefined;
    let connect: () => void = () => {};
    const connected = new Promise<void>((resolve) => {
      connect = resolve;
    });
    const link = await AgentLink.listen(linkDirectory, {
      connected: () => connect(),
      lost: () => sandbox?.lostControl(),
      violated: (violation) => sandbox?.violated(violation),
    });
    undo.push(() => link.close());
    const container = await engine.create({ ...options, sandbox: id, uid, linkDirectory });
    undo.push(() => engine.remove(container));
    const init = initProcess(await engine.start(container));
    const cgroup: Cgroup = await openCgroup(options.cgroupRoot, init.pid, container);
    const made = new Sandbox({ id, uid, link, init, cgroup, remove });
    sandbox = made;
    try {
      await unlessDead(made, connected);
      const stream = await unlessDead(made, link.openContext(Language.PYTHON));
      made.python = new Interpreter(stream, {
        readCgroup: made.read,
        executionOver: made.executionOver,
        violated: made.violated,
      });
      await unlessDead(made, made.python.ready);
      return made;
    } catch (error) {
      cgroup.close();
      throw error;
    }
  }

  return { make, known: () => known };
}

/** The result of a step of the start, unless the sandbox dies first or the step takes too long. */
async function unlessDead<T>(sandbox: Sandbox, step: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      step,
      sandbox.died.then((cause) => {
        throw new Error(`The sandbox did not come up: ${cause}.`);
      }),
      new Promise<never>((_, reject) => {
        limit = setTimeout(
          () => reject(new Error(`The sandbox did not come up within ${START_LIMIT_MS / 1000} s.`)),
          START_LIMIT_MS,
        );
      }),
    ]);
  } finally {
    clearTimeout(limit);
  }
}
