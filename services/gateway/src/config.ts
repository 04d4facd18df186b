import { baseEnvironment, listenAddress, parseEnvironment } from "@codemesh/service-kit";
import { z } from "zod";

const url = z.url({ protocol: /^http$/, error: "must be http://host:port" });

/** The gateway's configuration; throws ConfigError. */
export function readConfig(environment: NodeJS.ProcessEnv) {
  return parseEnvironment(
    {
      ...baseEnvironment,
      CODEMESH_LISTEN: listenAddress.prefault("127.0.0.1:4700"),
      CODEMESH_GATEWAY_PRIVATE_KEY_FILE: z.string().min(1),
      CODEMESH_SESSION_MANAGER_URL: url.default("http://127.0.0.1:4701"),
      CODEMESH_FILE_TRANSFER_URL: url.default("http://127.0.0.1:4703"),
      CODEMESH_METERING_URL: url.default("http://127.0.0.1:4704"),
    },
    environment,
  );
}
