import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Refusal } from "@codemesh/api";
import { Code } from "@connectrpc/connect";
import { jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";

// The gateway vouches for a caller with a short-lived JWT (EdDSA). Services verify it and hand it on to the services they
// call. A token says whose call it is and nothing else; it is cached on both sides, so that a call costs no signature.

const ISSUER = "codemesh-gateway";
const AUDIENCE = "codemesh-mesh";
const LIFETIME_S = 60;
/** A token is handed out while at least this much of its life is left. */
const FRESH_S = 30;
const CACHE_ENTRIES = 10_000;

/** The header that carries the token between services. */
export const TOKEN_HEADER = "codemesh-token";

/** Who a call is for. */
export interface Caller {
  readonly tenant: string;
  /** The public part of the API key. */
  readonly keyId: string;
  /** The gateway's token, to be handed on. */
  readonly token: string;
}

/** Signs tokens; the gateway has the only one. */
export interface TokenSigner {
  sign(caller: { readonly tenant: string; readonly keyId: string }): Promise<string>;
}

/** Verifies tokens; throws `UNAUTHENTICATED` / `TOKEN_INVALID`. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller>;
}

/** A signer with the Ed25519 private key of a PKCS #8 PEM file. */
export async function loadTokenSigner(privateKeyFile: string): Promise<TokenSigner> {
  return createTokenSigner(createPrivateKey(await readFile(privateKeyFile)));
}

/** A signer with an Ed25519 private key. */
export function createTokenSigner(privateKey: KeyObject): TokenSigner {
  const signed = new LRUCache<string, Promise<string>>({ max: CACHE_ENTRIES, ttl: (LIFETIME_S - FRESH_S) * 1000 });
  return {
    sign({ tenant, keyId }) {
      const key = `${tenant} ${keyId}`;
      let token = signed.get(key);
      if (token === undefined) {
        token = new SignJWT({ tenant })
          .setProtectedHeader({ alg: "EdDSA" })
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setSubject(keyId)
          .setIssuedAt()
          .setExpirationTime(`${LIFETIME_S}s`)
          .sign(privateKey);
        signed.set(key, token);
      }
      return token;
    },
  };
}

/** A verifier with the Ed25519 public key of an SPKI PEM file. */
export async function loadTokenVerifier(publicKeyFile: string): Promise<TokenVerifier> {
  return createTokenVerifier(createPublicKey(await readFile(publicKeyFile)));
}

/** A verifier with an Ed25519 public key. */
export function createTokenVerifier(publicKey: KeyObject): TokenVerifier {
  const verified = new LRUCache<string, Caller>({ max: CACHE_ENTRIES });
  return {
    async verify(token) {
      const cacheKey = createHash("sha256").update(token).digest("base64");
      const known = verified.get(cacheKey);
      if (known !== undefined) {
        return known;
      }
      const caller = await callerFromToken(token, publicKey);
      verified.set(cacheKey, caller.caller, { ttl: Math.max(1, caller.expireTimeMs - Date.now()) });
      return caller.caller;
    },
  };
}

async function callerFromToken(token: string, publicKey: KeyObject): Promise<{ caller: Caller; expireTimeMs: number }> {
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: ["EdDSA"],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ["exp", "sub", "tenant"],
    });
    return {
      caller: { tenant: String(payload["tenant"]), keyId: String(payload.sub), token },
      expireTimeMs: Number(payload.exp) * 1000,
    };
  } catch (cause) {
    throw new Refusal(
      Code.Unauthenticated,
      "TOKEN_INVALID",
      "This service takes calls from the gateway only; call the gateway's address.",
      { cause },
    );
  }
}
