import { baseEnvironment, listenAddress, parseEnvironment } from "@codemesh/service-kit";
import { z } from "zod";

/** What metering reads from the environment. */
export function readConfig(environment: NodeJS.ProcessEnv) {
  return parseEnvironment(
    {
      ...baseEnvironment,
      CODEMESH_LISTEN: listenAddress.prefault("127.0.0.1:4704"),
      CODEMESH_DATA_DIR: z.string().min(1),
    },
    environment,
  );
}
