import { readdirSync, readFileSync } from "node:fs";

interface Entry {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

const MAX_ROUNDS = 5;

/**
 * Kills a process that leads a session, and what has come of it: all in its session or group, and their descendants
 * wherever those went. What left all three is not found.
 */
export function killTree(leader: number): void {
  // A process may fork while it is looked for; what is killed forks no more.
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const tree = treeOf(leader, processes());
    if (tree.length === 0) {
      return;
    }
    for (const pid of tree) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** The processes of a tree that still run, of all processes there are. */
export function treeOf(leader: number, entries: readonly Entry[]): number[] {
  const found = new Set([leader]);
  for (const entry of entries) {
    if (entry.session === leader || entry.group === leader) {
      found.add(entry.pid);
    }
  }
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const entry of entries) {
      if (found.has(entry.parent)) {
        found.add(entry.pid);
      }
    }
  }
  return entries.filter(({ pid, state }) => found.has(pid) && state !== "Z" && state !== "X").map(({ pid }) => pid);
}

function processes(): Entry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [entryFrom(Number(name), readFileSync(`/proc/${name}/stat`, "latin1"))];
      } catch {
        return [];
      }
    });
}

/** What /proc/{pid}/stat says (proc_pid_stat(5)). The name in parentheses may hold anything, parentheses too. */
export function entryFrom(pid: number, stat: string): Entry {
  const [state = "", parent, group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { pid, state, parent: Number(parent), group: Number(group), session: Number(session) };
}
