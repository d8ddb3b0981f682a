/**
 * SD-JWT (RFC 9901): the server's signed statement with one disclosure for each
 * attribute. The browser shows what is in it and hands on only what the person
 * chose; the server checks its own signature again.
 */
import type { Attributes, ClaimValue } from "../types";
import { fromBase64url, fromUtf8, sha256, toBase64url, utf8 } from "./bytes";

export interface Disclosure {
  name: string;
  value: ClaimValue;
  /** The disclosure as it stands in the combined form. */
  encoded: string;
}

export interface Claims {
  jwt: string;
  level: string;
  disclosures: Disclosure[];
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("sd-jwt: not an object");
  return value as Record<string, unknown>;
}

function claimValue(value: unknown): ClaimValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value) && value.every((v): v is string => typeof v === "string")) return value;
  throw new Error("sd-jwt: value of an unknown kind");
}

function disclosure(encoded: string): Disclosure {
  const parts: unknown = JSON.parse(fromUtf8(fromBase64url(encoded)));
  if (!Array.isArray(parts) || parts.length !== 3 || typeof parts[0] !== "string" || typeof parts[1] !== "string") {
    throw new Error("sd-jwt: not a disclosure of an object property");
  }
  return { name: parts[1], value: claimValue(parts[2]), encoded };
}

/** Parses the combined form and checks that every disclosure's digest is one that was signed (RFC 9901 §7.1). */
export async function parseClaims(combined: string): Promise<Claims> {
  const [jwt = "", ...rest] = combined.split("~");
  if (rest.pop() !== "") throw new Error("sd-jwt: the combined form ends in a tilde");
  const [, payloadPart, signature] = jwt.split(".");
  if (payloadPart === undefined || signature === undefined) throw new Error("sd-jwt: no JWT");
  const payload = object(JSON.parse(fromUtf8(fromBase64url(payloadPart))));
  const digests = payload["_sd"];
  if (!Array.isArray(digests) || (payload["_sd_alg"] ?? "sha-256") !== "sha-256") throw new Error("sd-jwt: no digests");
  const disclosures = rest.map(disclosure);
  const seen = new Set<string>();
  for (const d of disclosures) {
    const digest = toBase64url(await sha256(utf8(d.encoded)));
    if (!digests.includes(digest)) throw new Error("sd-jwt: a disclosure was not signed");
    if (seen.has(d.name)) throw new Error("sd-jwt: a name twice");
    seen.add(d.name);
  }
  return { jwt, level: typeof payload["level"] === "string" ? payload["level"] : "", disclosures };
}

/** The attributes by name. */
export function attributesOf(claims: Claims): Attributes {
  return Object.fromEntries(claims.disclosures.map((d) => [d.name, d.value]));
}

/** The combined form with the chosen disclosures and no other. */
export function present(claims: Claims, names: ReadonlySet<string>): string {
  const chosen = claims.disclosures.filter((d) => names.has(d.name)).map((d) => `${d.encoded}~`);
  return `${claims.jwt}~${chosen.join("")}`;
}
