import { create } from "@bufbuild/protobuf";
import { MAX_INLINE_FILE_BYTES, refusalFromError, WriteFileHeaderSchema } from "@codemesh/api";
import { expect, test } from "vitest";
import { advance, beginUpload, requireComplete } from "./upload.js";

const SHA256 = new Uint8Array(32).fill(7);

function uploadOf(header: { sizeBytes?: bigint; sha256?: Uint8Array } = {}) {
  return beginUpload(create(WriteFileHeaderSchema, header));
}

function reasonOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return refusalFromError(error)?.reason;
  }
}

test("takes exactly 100 MiB and refuses the byte after", () => {
  const full = advance(uploadOf(), MAX_INLINE_FILE_BYTES);
  expect(full.receivedBytes).toBe(104_857_600);
  expect(reasonOf(() => requireComplete(full, SHA256))).toBeUndefined();
  expect(reasonOf(() => advance(full, 1))).toBe("FILE_TOO_LARGE");
});

test("refuses the first chunk past the declared size", () => {
  const upload = advance(uploadOf({ sizeBytes: 3n }), 3);
  expect(reasonOf(() => requireComplete(upload, SHA256))).toBeUndefined();
  expect(reasonOf(() => advance(upload, 1))).toBe("SIZE_MISMATCH");
});

test("refuses an end before the declared size", () => {
  expect(reasonOf(() => requireComplete(advance(uploadOf({ sizeBytes: 3n }), 2), SHA256))).toBe("SIZE_MISMATCH");
});

test("an undeclared size is any size, a declared 0 is empty", () => {
  expect(reasonOf(() => requireComplete(uploadOf(), SHA256))).toBeUndefined();
  expect(reasonOf(() => requireComplete(uploadOf({ sizeBytes: 0n }), SHA256))).toBeUndefined();
  expect(reasonOf(() => advance(uploadOf({ sizeBytes: 0n }), 1))).toBe("SIZE_MISMATCH");
});

test("refuses content with another checksum than declared", () => {
  expect(reasonOf(() => requireComplete(uploadOf({ sha256: SHA256 }), SHA256))).toBeUndefined();
  expect(reasonOf(() => requireComplete(uploadOf({ sha256: new Uint8Array(32) }), SHA256))).toBe("CHECKSUM_MISMATCH");
});
