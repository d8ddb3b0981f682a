// The vectors are written by the server's own code (internal/vault, go test -run TestVectors -update):
// what the browser seals, wraps and opens must be what the server means.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromBase64url, fromUtf8, sha256, toBase64url, utf8 } from "../src/crypto/bytes";
import { openItem, sealItem, suiteName, type ItemKind } from "../src/crypto/hpke";
import { formatRecoveryCode, parseRecoveryCode } from "../src/crypto/recovery-code";
import { parseClaims, present } from "../src/crypto/sdjwt";
import { prfLabel, recoveryAuth, unwrapWithPasskey, unwrapWithRecovery } from "../src/crypto/wrap";
import { parseJournal } from "../src/state/vault";
import type { ClaimValue } from "../src/types";

interface Vectors {
  suite: string;
  seed: string;
  public_key: string;
  prf_input: string;
  passkey: { credential_id: string; prf_output: string; salt: string; wrapped: string };
  recovery: { secret: string; code: string; auth: string; salt: string; wrapped: string };
  items: { kind: ItemKind; plaintext: string; sealed: string }[];
  claims: { combined: string; level: string; chosen: string[]; presentation: string; values: Record<string, ClaimValue> };
}

const file = join(import.meta.dirname, "..", "..", "internal", "vault", "testdata", "vectors.json");
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;

describe("the server's vectors", () => {
  it("name the same suite and PRF input", async () => {
    expect(vectors.suite).toBe(suiteName);
    expect(toBase64url(await sha256(utf8(prfLabel)))).toBe(vectors.prf_input);
  });

  it("open with the seed", async () => {
    expect(vectors.items.length).toBeGreaterThan(1);
    for (const item of vectors.items) {
      expect(fromUtf8(await openItem(fromBase64url(vectors.seed), item.kind, item.sealed))).toBe(item.plaintext);
    }
  });

  it("hold a public key that belongs to the seed", async () => {
    const sealed = await sealItem(vectors.public_key, "journal", utf8("line"));
    expect(fromUtf8(await openItem(fromBase64url(vectors.seed), "journal", sealed))).toBe("line");
  });

  it("unwrap with the passkey's PRF and with the recovery code", async () => {
    const { passkey, recovery, seed } = vectors;
    const wrap = { kind: "passkey" as const, credential_id: passkey.credential_id, salt: passkey.salt, wrapped: passkey.wrapped };
    expect(toBase64url(await unwrapWithPasskey(wrap, fromBase64url(passkey.prf_output)))).toBe(seed);
    expect(toBase64url(await unwrapWithRecovery(recovery, fromBase64url(recovery.secret)))).toBe(seed);
  });

  it("write the recovery code and its authentication value alike", async () => {
    const { recovery } = vectors;
    expect(formatRecoveryCode(fromBase64url(recovery.secret)).join("-")).toBe(recovery.code);
    expect(await recoveryAuth(fromBase64url(recovery.secret))).toBe(recovery.auth);
    const parsed = parseRecoveryCode(recovery.code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o"));
    expect(parsed.ok && toBase64url(parsed.secret)).toBe(recovery.secret);
  });

  it("present the chosen claims as the server expects them", async () => {
    const claims = await parseClaims(vectors.claims.combined);
    expect(claims.level).toBe(vectors.claims.level);
    for (const [name, value] of Object.entries(vectors.claims.values)) {
      expect(claims.disclosures.find((d) => d.name === name)?.value).toEqual(value);
    }
    expect(present(claims, new Set(vectors.claims.chosen))).toBe(vectors.claims.presentation);
  });

  it("hold a journal line that the pages can read", () => {
    const line = vectors.items.find((i) => i.kind === "journal");
    expect(parseJournal(line?.plaintext ?? "")).toEqual({
      at: "2026-11-23T15:04:05Z", service: { en: "Tax office", fr: "Tax office" }, level: undefined, attributes: ["given_name"], serviceID: "", remembered: "",
    });
    const entry = '{"time":"2026-11-23T15:04:05Z","service_id":"tax","service":{"en":"Tax office","fr":"Impôts"},"acr":"eidas3","attributes":[],"terms":"T","remembered":true}';
    expect(parseJournal(entry)).toEqual({ at: "2026-11-23T15:04:05Z", service: { en: "Tax office", fr: "Impôts" }, level: "high", attributes: [], serviceID: "tax", remembered: "T" });
  });
});
