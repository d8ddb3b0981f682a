/**
 * Wrapping the person's private key, once for each way in: AES-256-GCM under a key
 * derived with HKDF-SHA256 (RFC 5869) from a secret that only the person holds, the
 * passkey's PRF output or the recovery code. WebCrypto alone.
 */
import type { RecoveryWrap, Wrap } from "../types";
import { concat, fromBase64url, random, toBase64url, utf8, type Bytes } from "./bytes";

const passkeyInfo = utf8("ipse/vault/wrap/passkey/v1");
const recoveryInfo = utf8("ipse/vault/wrap/recovery/v1");
const recoveryAuthInfo = utf8("ipse/recovery/auth/v1");
const nonceLength = 12;
const saltLength = 32;

/** The text whose SHA-256 every credential's PRF is evaluated on (WebAuthn Level 3 §10.1.4). */
export const prfLabel = "ipse/vault/prf/v1";

async function wrappingKey(secret: Bytes, salt: Bytes, info: Bytes, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt, info }, base, { name: "AES-GCM", length: 256 }, false, [use]);
}

async function wrap(seed: Bytes, secret: Bytes, info: Bytes, aad: Bytes): Promise<{ salt: string; wrapped: string }> {
  const salt = random(saltLength);
  const nonce = random(nonceLength);
  const key = await wrappingKey(secret, salt, info, "encrypt");
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, seed);
  return { salt: toBase64url(salt), wrapped: toBase64url(concat(nonce, new Uint8Array(sealed))) };
}

async function unwrap(wrapped: { salt: string; wrapped: string }, secret: Bytes, info: Bytes, aad: Bytes): Promise<Bytes> {
  const bytes = fromBase64url(wrapped.wrapped);
  const key = await wrappingKey(secret, fromBase64url(wrapped.salt), info, "decrypt");
  const iv = bytes.subarray(0, nonceLength);
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, key, bytes.subarray(nonceLength));
  return new Uint8Array(opened);
}

const credentialAad = (id: string): Bytes => utf8(`credential:${id}`);

/** Wraps the private key under a passkey's PRF output. */
export async function wrapForPasskey(seed: Bytes, prf: Bytes, credentialId: string): Promise<Wrap> {
  return { kind: "passkey", credential_id: credentialId, ...(await wrap(seed, prf, passkeyInfo, credentialAad(credentialId))) };
}

/** Opens a passkey's wrap; rejects when the PRF output or the credential is another. */
export function unwrapWithPasskey(wrapped: Wrap, prf: Bytes): Promise<Bytes> {
  return unwrap(wrapped, prf, passkeyInfo, credentialAad(wrapped.credential_id));
}

/** What the server checks of a recovery code; the code does not follow from it. */
export async function recoveryAuth(secret: Bytes): Promise<string> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const params = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: recoveryAuthInfo };
  return toBase64url(new Uint8Array(await crypto.subtle.deriveBits(params, base, 256)));
}

/** Wraps the private key under a recovery code. */
export async function wrapForRecovery(seed: Bytes, secret: Bytes): Promise<RecoveryWrap> {
  return { ...(await wrap(seed, secret, recoveryInfo, utf8("recovery"))), auth: await recoveryAuth(secret) };
}

/** Opens the recovery wrap. */
export function unwrapWithRecovery(wrapped: { salt: string; wrapped: string }, secret: Bytes): Promise<Bytes> {
  return unwrap(wrapped, secret, recoveryInfo, utf8("recovery"));
}
