import { writeSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputPipe, unfinishedCharacterBytes } from "./output-pipe.js";
import { closeAll, makePipes } from "./pipes.js";

const MARKER = Buffer.from("\u0000\u001eend\u001e\u0000");

async function readThrough(pieces: readonly Uint8Array[]): Promise<Buffer[]> {
  const [pipe] = makePipes(1);
  if (pipe === undefined) {
    throw new Error("no pipe");
  }
  const output = new OutputPipe(pipe.readFd);
  const received: Buffer[] = [];
  const ended = new Promise<void>((resolve) => {
    output.follow(MARKER, { onData: (chunk) => received.push(Buffer.from(chunk)), onEnd: resolve });
  });
  for (const piece of pieces) {
    writeSync(pipe.writeFd, piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  closeAll([pipe.writeFd]);
  await ended;
  output.destroy();
  return received;
}

test("hands over exactly what came before the marker, however it was cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      async (text, steps) => {
        const bytes = Buffer.concat([Buffer.from(text), MARKER]);
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const step = steps[turn % steps.length] ?? 1;
          pieces.push(bytes.subarray(at, at + step));
          at += step;
        }
        expect(Buffer.concat(await readThrough(pieces)).toString("hex")).toBe(Buffer.from(text).toString("hex"));
      },
    ),
    { numRuns: 40 },
  );
});

test("never cuts a character of well-formed text", async () => {
  const text = Buffer.from("aé€😀".repeat(20));
  const pieces = [...text].map((byte) => Uint8Array.of(byte));
  for (const chunk of await readThrough([...pieces, MARKER])) {
    expect(chunk.toString()).not.toContain("\ufffd");
  }
});

test("hands over a broken end of text when the program is over", async () => {
  expect(Buffer.concat(await readThrough([Buffer.from([0x61, 0xe2, 0x82]), MARKER]))).toEqual(
    Buffer.from([0x61, 0xe2, 0x82]),
  );
});

test("the end of the pipe ends the program", async () => {
  expect(Buffer.concat(await readThrough([Buffer.from("no marker")])).toString()).toBe("no marker");
});

test("gathers what a program that prints often prints", async () => {
  const pieces = Array.from({ length: 2_000 }, (_, index) => Buffer.from(`${index}\n`));
  const chunks = await readThrough([...pieces, MARKER]);
  expect(Buffer.concat(chunks)).toEqual(Buffer.concat(pieces));
  expect(chunks.length).toBeLessThan(pieces.length / 2);
});

test("the pipe of a dead interpreter ends when it is empty, though somebody holds it", async () => {
  const [pipe] = makePipes(1);
  if (pipe === undefined) {
    throw new Error("no pipe");
  }
  const output = new OutputPipe(pipe.readFd);
  const received: Buffer[] = [];
  writeSync(pipe.writeFd, "last words");
  const ended = new Promise<void>((resolve) => {
    output.follow(MARKER, { onData: (chunk) => received.push(chunk), onEnd: resolve });
  });
  output.finishSoon();
  await ended;
  closeAll([pipe.writeFd]);
  expect(Buffer.concat(received).toString()).toBe("last words");
});

test("knows how many bytes of a character are there", () => {
  expect(unfinishedCharacterBytes(Buffer.from("a"))).toBe(0);
  expect(unfinishedCharacterBytes(Buffer.from("€").subarray(0, 2))).toBe(2);
  expect(unfinishedCharacterBytes(Buffer.from("😀").subarray(0, 3))).toBe(3);
  expect(unfinishedCharacterBytes(Buffer.from("😀"))).toBe(0);
  expect(unfinishedCharacterBytes(Buffer.of(0xff))).toBe(0);
});
