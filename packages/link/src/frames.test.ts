import { create } from "@bufbuild/protobuf";
import { linkpb } from "@codemesh/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkFrameHead, encodeFrame, FrameError, FrameReader } from "./frames.js";

const { UploadPartSchema } = linkpb;

function part(bytes: Uint8Array) {
  return create(UploadPartSchema, { part: { case: "chunk", value: bytes } });
}

test("any split of the bytes gives the same messages", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      (bodies, steps) => {
        const bytes = Buffer.concat(bodies.map((body) => encodeFrame(UploadPartSchema, part(body))));
        const reader = new FrameReader(UploadPartSchema, { maxFrameBytes: 1024 });
        const messages = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const step = steps[turn % steps.length] ?? 1;
          messages.push(...reader.push(bytes.subarray(at, at + step)));
          at += step;
        }
        expect(messages.map((message) => Buffer.from(message.part.value as Uint8Array))).toEqual(
          bodies.map((body) => Buffer.from(body)),
        );
        expect(reader.pendingBytes).toBe(0);
      },
    ),
  );
});

test("a frame at the limit is read, one byte more is refused before its body arrives", () => {
  const atLimit = encodeFrame(UploadPartSchema, part(new Uint8Array(1021)));
  expect(new FrameReader(UploadPartSchema, { maxFrameBytes: 1024 }).push(atLimit)).toHaveLength(1);
  const over = encodeFrame(UploadPartSchema, part(new Uint8Array(1022)));
  expect(() => new FrameReader(UploadPartSchema, { maxFrameBytes: 1024 }).push(over.subarray(0, 2))).toThrow(
    FrameError,
  );
});

test("garbage is refused and never crashes the reader", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const reader = new FrameReader(UploadPartSchema, { maxFrameBytes: 256 });
      try {
        reader.push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
});

test("a length without an end is refused", () => {
  expect(() =>
    new FrameReader(UploadPartSchema, { maxFrameBytes: 256 }).push(Uint8Array.of(255, 255, 255, 255, 255, 1)),
  ).toThrow("no end");
});

test("a head and its chunk are the frame of the whole message", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }),
      fc.uint8Array({ maxLength: 20_000 }),
      (execution, chunk) => {
        const rest = create(linkpb.ContextEventSchema, { execution });
        const head = chunkFrameHead(linkpb.ContextEventSchema, rest, "stderr", chunk.length);
        const [message, ...others] = new FrameReader(linkpb.ContextEventSchema, { maxFrameBytes: 1 << 20 }).push(
          Buffer.concat([head, chunk]),
        );
        expect(others).toEqual([]);
        expect(message?.execution).toBe(execution);
        expect(message?.event.case).toBe("stderr");
        expect(Buffer.from(message?.event.value as Uint8Array)).toEqual(Buffer.from(chunk));
      },
    ),
  );
});
