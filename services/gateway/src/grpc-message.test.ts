import fc from "fast-check";
import { expect, test } from "vitest";
import { plainGrpcMessage } from "./grpc-message.js";

test("leaves punctuation as it is and encodes the rest", () => {
  expect(plainGrpcMessage(encodeURIComponent("There is no session sessions/x; 100 % é"))).toBe(
    "There is no session sessions/x; 100 %25 %C3%A9",
  );
});

test("says the same to every client that decodes it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const message = plainGrpcMessage(encodeURIComponent(text));
      expect(decodeURIComponent(message)).toBe(text);
      expect(message).toMatch(/^[\x20-\x7e]*$/);
    }),
  );
});

test("passes on what is not encoded as it should be", () => {
  expect(plainGrpcMessage("50%")).toBe("50%");
});
