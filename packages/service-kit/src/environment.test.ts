import { expect, test } from "vitest";
import { baseEnvironment, ConfigError, integer, listenAddress, parseEnvironment } from "./environment.js";

test("one error names every wrong variable, its value and what would do", () => {
  const shape = { ...baseEnvironment, CODEMESH_LISTEN: listenAddress };
  const read = () =>
    parseEnvironment(shape, {
      CODEMESH_LISTEN: "nowhere",
      CODEMESH_LOG_LEVEL: "loud",
      CODEMESH_NATS_PASSWORD_FILE: "f",
    });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/CODEMESH_LISTEN="nowhere": must be host:port/);
  expect(read).toThrow(/CODEMESH_LOG_LEVEL="loud"/);
  expect(read).toThrow(/CODEMESH_GATEWAY_PUBLIC_KEY_FILE is not set/);
});

test("an empty variable is one that is not set", () => {
  expect(parseEnvironment({ A: integer(1, 9).prefault("3") }, { A: "" })).toEqual({ A: 3 });
});

test("addresses are read with their port", () => {
  expect(listenAddress.parse("127.0.0.1:0")).toEqual({ host: "127.0.0.1", port: 0 });
  expect(listenAddress.parse("[::1]:80")).toEqual({ host: "::1", port: 80 });
  expect(listenAddress.safeParse("127.0.0.1:70000").success).toBe(false);
});

test("a number at its limits is taken, one past is refused", () => {
  const port = integer(1, 10);
  expect(port.parse("1")).toBe(1);
  expect(port.parse("10")).toBe(10);
  for (const wrong of ["0", "11", "-1", "1.5", "ten"]) {
    expect(port.safeParse(wrong).success).toBe(false);
  }
});
