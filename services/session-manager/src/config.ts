import { baseEnvironment, listenAddress, parseEnvironment } from "@codemesh/service-kit";

/** What session-manager reads from the environment. */
export function readConfig(environment: NodeJS.ProcessEnv) {
  return parseEnvironment(
    { ...baseEnvironment, CODEMESH_LISTEN: listenAddress.prefault("127.0.0.1:4701") },
    environment,
  );
}
