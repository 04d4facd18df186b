import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue, MAX_OUTPUT_BYTES, type OutputStream, type Queued } from "./event-queue.js";

const utf8 = (text: string) => new TextEncoder().encode(text);

function takeAll<E>(queue: EventQueue<E>): Queued<E>[] {
  const taken: Queued<E>[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    taken.push(next);
  }
  return taken;
}

test("joins what is there of one stream, and keeps streams and events in order", () => {
  const queue = new EventQueue<string>();
  queue.addOutput("stdout", utf8("a"));
  queue.addOutput("stdout", utf8("b"));
  queue.addOutput("stderr", utf8("c"));
  queue.addEvent("result");
  queue.addOutput("stdout", utf8("d"));
  expect(takeAll(queue)).toEqual([
    { kind: "stdout", data: utf8("ab") },
    { kind: "stderr", data: utf8("c") },
    { kind: "event", event: "result" },
    { kind: "stdout", data: utf8("d") },
  ]);
});

test("gives the bytes of a large piece as they came, without copying them", () => {
  const queue = new EventQueue<never>();
  const data = new Uint8Array(MAX_OUTPUT_BYTES);
  queue.addOutput("stdout", data);
  const taken = queue.take();
  expect(taken?.kind === "stdout" && taken.data.buffer).toBe(data.buffer);
});

test("holds back the beginning of a character until its rest comes, or none will", () => {
  const queue = new EventQueue<never>();
  queue.addOutput("stdout", utf8("€").subarray(0, 2));
  expect(queue.take()).toBeUndefined();
  queue.addOutput("stdout", utf8("€").subarray(2));
  expect(queue.take()).toEqual({ kind: "stdout", data: utf8("€") });
  queue.addOutput("stderr", Uint8Array.of(0xf0, 0x9f));
  queue.endOutput();
  expect(queue.take()).toEqual({ kind: "stderr", data: Uint8Array.of(0xf0, 0x9f) });
});

test("weighs nothing when everything was taken", () => {
  const queue = new EventQueue<string>();
  queue.addOutput("stdout", utf8("text"));
  queue.addEvent("result");
  expect(queue.weightBytes).toBeGreaterThan(4);
  takeAll(queue);
  expect(queue.weightBytes).toBe(0);
});

test("any text, cut anywhere, comes out the same, in pieces of whole characters (Q1, Q2)", () => {
  const piece = fc.record({ kind: fc.constantFrom<OutputStream>("stdout", "stderr"), length: fc.nat(70_000) });
  const text = fc
    .string({ unit: "binary", maxLength: 400 })
    .chain((seed) => fc.nat(400).map((times) => seed.repeat(times)));
  fc.assert(
    fc.property(text, text, fc.array(piece, { maxLength: 30 }), fc.boolean(), (out, err, pieces, takeBetween) => {
      const left = { stdout: utf8(out), stderr: utf8(err) };
      const queue = new EventQueue<never>();
      const taken: Queued<never>[] = [];
      for (const { kind, length } of [
        ...pieces,
        { kind: "stdout" as const, length: Number.MAX_SAFE_INTEGER },
        { kind: "stderr" as const, length: Number.MAX_SAFE_INTEGER },
      ]) {
        queue.addOutput(kind, left[kind].subarray(0, length));
        left[kind] = left[kind].subarray(length);
        taken.push(...(takeBetween ? takeAll(queue) : []));
      }
      queue.endOutput();
      taken.push(...takeAll(queue));
      const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      const texts = { stdout: "", stderr: "" };
      for (const item of taken) {
        if (item.kind !== "event") {
          expect(item.data.length).toBeLessThanOrEqual(MAX_OUTPUT_BYTES);
          texts[item.kind] += strict.decode(item.data);
        }
      }
      expect(texts).toEqual({ stdout: out.toWellFormed(), stderr: err.toWellFormed() });
    }),
    { numRuns: 60 },
  );
});
