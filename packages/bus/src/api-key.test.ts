import { expect, test } from "vitest";
import { newApiKey, parseApiKey } from "./api-key.js";

test("a key's text finds and proves its record, which does not hold the secret", () => {
  const { text, record } = newApiKey({ tenant: "acme", createTime: new Date(0) });
  expect(parseApiKey(text)).toEqual({ id: record.id, secretSha256: record.secretSha256 });
  expect(Buffer.from(record.secretSha256).toString("hex")).not.toBe(text.split("_")[2]);
});

test.each(["", "cm_", "cm_0123456789abcdef_short", "xx_0123456789abcdef_", "cm_../../x_y"])("%j is no key", (text) => {
  expect(parseApiKey(text)).toBeUndefined();
});

test("a tenant that cannot be part of a subject gets no key", () => {
  expect(() => newApiKey({ tenant: "a.b", createTime: new Date(0) })).toThrow(RangeError);
});
