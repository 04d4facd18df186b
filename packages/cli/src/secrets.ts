import { generateKeyPairSync, randomBytes } from "node:crypto";
import { exists, readText, writePrivate } from "./files.js";
import type { MeshPaths } from "./paths.js";

/** Makes the secrets that are missing: the gateway's key pair, the NATS password, the mesh's own id. */
export function ensureSecrets(paths: MeshPaths): void {
  if (!exists(paths.gatewayPrivateKey) || !exists(paths.gatewayPublicKey)) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    writePrivate(paths.gatewayPublicKey, publicKey);
    writePrivate(paths.gatewayPrivateKey, privateKey);
  }
  if (!exists(paths.natsPassword)) {
    writePrivate(paths.natsPassword, `${randomBytes(24).toString("hex")}\n`);
  }
  if (!exists(paths.instance)) {
    writePrivate(paths.instance, `${randomBytes(6).toString("hex")}\n`);
  }
}

/** The id that this mesh labels its containers with. */
export function instanceOf(paths: MeshPaths): string {
  return readText(paths.instance)?.trim() ?? "";
}
