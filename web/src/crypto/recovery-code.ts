/**
 * The recovery code: 160 random bits in Crockford's base32 (no I, L, O, U), eight
 * groups of four. It is shown once and never leaves the browser.
 */
import type { Bytes } from "./bytes";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Length of the secret behind a code, in bytes. */
export const recoveryBytes = 20;

/** Writes 20 bytes as eight groups of four characters. */
export function formatRecoveryCode(secret: Bytes): string[] {
  if (secret.length !== recoveryBytes) throw new Error("a recovery code has 20 bytes");
  let bits = 0n;
  for (const byte of secret) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let shift = 155n; shift >= 0n; shift -= 5n) text += alphabet.charAt(Number((bits >> shift) & 31n));
  return text.match(/.{4}/g) ?? [];
}

/** Reads what people type: any case, spaces and dashes, O for 0, I and L for 1. */
export function normaliseRecoveryCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[\s\-\u2010-\u2015.]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
}

export type ParsedCode =
  | { ok: true; secret: Bytes }
  | { ok: false; why: "length"; count: number }
  | { ok: false; why: "characters"; characters: string };

/** The secret behind a typed code, or what is wrong with it. */
export function parseRecoveryCode(typed: string): ParsedCode {
  const text = normaliseRecoveryCode(typed);
  const foreign = [...new Set(text)].filter((c) => !alphabet.includes(c));
  if (foreign.length > 0) return { ok: false, why: "characters", characters: foreign.join(" ") };
  if (text.length !== 32) return { ok: false, why: "length", count: text.length };
  let bits = 0n;
  for (const c of text) bits = (bits << 5n) | BigInt(alphabet.indexOf(c));
  const secret = new Uint8Array(recoveryBytes);
  for (let i = recoveryBytes - 1; i >= 0; i--) {
    secret[i] = Number(bits & 255n);
    bits >>= 8n;
  }
  return { ok: true, secret };
}
