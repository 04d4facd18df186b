import { expect, test } from "vitest";
import { stateFrom } from "./state.js";

const whole = {
  instance: "0123456789ab",
  gatewayUrl: "http://127.0.0.1:4700",
  natsUrl: "nats://127.0.0.1:4710",
  dockerHost: "unix:///var/run/docker.sock",
  runtimeImage: "codemesh/runtime:0123456789ab",
  ports: { gateway: 4700 },
};

test("a state is read as it was written", () => {
  expect(stateFrom(JSON.stringify(whole))).toEqual(whole);
});

test.each([undefined, "", "{", "null", "[]", JSON.stringify({ ...whole, gatewayUrl: undefined })])(
  "%j is no state",
  (text) => {
    expect(stateFrom(text)).toBeUndefined();
  },
);
