// What both sides do. Durations are ms, rates MB/s (10⁶ bytes).

/** How often each step is measured. */
export const TIMES = { create: 10, execute: 200, dockerExecute: 30, stream: 5, transfer: 5 } as const;

export const STREAM_BYTES = 200_000_000;
export const FILE_BYTES = 20_000_000;

/** Prints the time, s since the epoch, once a second for 5 s. */
export const LIVE_SOURCE = `import sys, time
for _ in range(5):
    sys.stdout.write(f"{time.time()}\\n")
    sys.stdout.flush()
    time.sleep(1)`;

/** From the printing of each line of `LIVE_SOURCE` in a piece of its output to now, ms. */
export function delaysMs(output: string): number[] {
  const nowMs = Date.now();
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => nowMs - Number(line) * 1000);
}

/** Prints `STREAM_BYTES` in lines. */
export const STREAM_SOURCE = `import sys
line = "x" * 999 + "\\n"
for _ in range(${STREAM_BYTES / 1000}):
    sys.stdout.write(line)`;

/** The steps, in the order of the table. */
export const STEPS = [
  { name: "CreateSession, warm", docker: "", unit: "ms" },
  { name: "CreateSession, cold", docker: "docker run, Python with pandas ready", unit: "ms" },
  { name: "Execute 1+1", docker: "docker exec python3 -c 1+1", unit: "ms" },
  { name: "printed to received, once a second", docker: "docker exec", unit: "ms" },
  { name: "print to client", docker: "docker exec", unit: "MB/s" },
  { name: "20 MB upload", docker: "docker exec -i cat >", unit: "MB/s" },
  { name: "20 MB download", docker: "docker exec cat", unit: "MB/s" },
] as const;

export type StepName = (typeof STEPS)[number]["name"];

/** What was measured, by step. */
export type Measurements = Partial<Record<StepName, readonly number[]>>;

/** MB/s of bytes in a time, ms. */
export function megabytesPerSecond(bytes: number, ms: number): number {
  return bytes / 1_000_000 / (ms / 1000);
}
