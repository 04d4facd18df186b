import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { createTokenSigner, createTokenVerifier } from "./token.js";

const keys = generateKeyPairSync("ed25519");
const verifier = createTokenVerifier(keys.publicKey);

function claims(change: (token: SignJWT) => SignJWT, key = keys.privateKey): Promise<string> {
  return change(
    new SignJWT({ tenant: "acme" })
      .setProtectedHeader({ alg: "EdDSA" })
      .setIssuer("codemesh-gateway")
      .setAudience("codemesh-mesh")
      .setSubject("key")
      .setExpirationTime("60s"),
  ).sign(key);
}

test("a token says whose call it is", async () => {
  const token = await createTokenSigner(keys.privateKey).sign({ tenant: "acme", keyId: "key" });
  expect(await verifier.verify(token)).toEqual({ tenant: "acme", keyId: "key", token });
  expect(await verifier.verify(token)).toMatchObject({ tenant: "acme" });
});

test("one token serves many calls of a key, and keys do not share one", async () => {
  const signer = createTokenSigner(keys.privateKey);
  const token = await signer.sign({ tenant: "acme", keyId: "key" });
  expect(await signer.sign({ tenant: "acme", keyId: "key" })).toBe(token);
  expect(await signer.sign({ tenant: "acme", keyId: "other" })).not.toBe(token);
  expect(await signer.sign({ tenant: "other", keyId: "key" })).not.toBe(token);
});

test.each([
  ["of another key", claims((token) => token, generateKeyPairSync("ed25519").privateKey)],
  ["that expired", claims((token) => token.setExpirationTime("-1s"))],
  ["of another issuer", claims((token) => token.setIssuer("someone"))],
  ["for others", claims((token) => token.setAudience("others"))],
  ["that is none", Promise.resolve("nonsense")],
])("a token %s is refused", async (_, token) => {
  await expect(verifier.verify(await token)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});
