import { baseEnvironment, listenAddress, parseEnvironment } from "@codemesh/service-kit";

const shape = {
  ...baseEnvironment,
  CODEMESH_LISTEN: listenAddress.prefault("127.0.0.1:4703"),
};

/** What file-transfer is told by its environment; throws ConfigError. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env) {
  const variables = parseEnvironment(shape, environment);
  return {
    listen: variables.CODEMESH_LISTEN,
    nats: {
      url: variables.CODEMESH_NATS_URL,
      user: variables.CODEMESH_NATS_USER,
      passwordFile: variables.CODEMESH_NATS_PASSWORD_FILE,
      replicas: variables.CODEMESH_KV_REPLICAS,
    },
    gatewayPublicKeyFile: variables.CODEMESH_GATEWAY_PUBLIC_KEY_FILE,
  };
}
