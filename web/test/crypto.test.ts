import { describe, expect, it } from "vitest";
import { sdJwt } from "../dev/mock";
import { concat, fromBase64url, fromUtf8, random, toBase64url, utf8 } from "../src/crypto/bytes";
import { encapsulatedLength, generateVaultKey, openItem, sealItem } from "../src/crypto/hpke";
import { passkeyProblem, publicExtensions } from "../src/crypto/passkey";
import { formatRecoveryCode, normaliseRecoveryCode, parseRecoveryCode } from "../src/crypto/recovery-code";
import { attributesOf, parseClaims, present } from "../src/crypto/sdjwt";
import { unwrapWithPasskey, unwrapWithRecovery, wrapForPasskey, wrapForRecovery } from "../src/crypto/wrap";

describe("bytes", () => {
  it("survive base64url, which has no padding and no other characters", () => {
    for (let length = 0; length < 40; length++) {
      const bytes = random(length);
      const text = toBase64url(bytes);
      expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
      expect(fromBase64url(text)).toEqual(bytes);
    }
    for (const bad of ["a+b", "a/b", "YQ==", "é"]) expect(() => fromBase64url(bad)).toThrow();
  });

  it("that are not UTF-8 are refused", () => {
    expect(() => fromUtf8(new Uint8Array([0xff]))).toThrow();
  });
});

describe("the vault key", () => {
  it("opens what is sealed to it and nothing else", async () => {
    const mine = await generateVaultKey();
    const other = await generateVaultKey();
    expect(mine.seed).toHaveLength(32);
    expect(fromBase64url(mine.publicKey)).toHaveLength(1216);
    const sealed = await sealItem(mine.publicKey, "claims", utf8("claims"));
    expect(fromUtf8(await openItem(mine.seed, "claims", sealed))).toBe("claims");
    await expect(openItem(other.seed, "claims", sealed)).rejects.toThrow();
    await expect(openItem(mine.seed, "journal", sealed)).rejects.toThrow();
  });

  it("refuses an item with one bit changed or cut short", async () => {
    const { seed, publicKey } = await generateVaultKey();
    const bytes = fromBase64url(await sealItem(publicKey, "claims", utf8("claims")));
    for (const at of [0, encapsulatedLength - 1, encapsulatedLength, bytes.length - 1]) {
      const changed = new Uint8Array(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(openItem(seed, "claims", toBase64url(changed))).rejects.toThrow();
    }
    await expect(openItem(seed, "claims", toBase64url(bytes.subarray(0, 100)))).rejects.toThrow();
  });
});

describe("a wrap", () => {
  it("opens with its own passkey only, and for its own credential only", async () => {
    const seed = random(32);
    const prf = random(32);
    const wrap = await wrapForPasskey(seed, prf, "credential-a");
    expect(await unwrapWithPasskey(wrap, prf)).toEqual(seed);
    await expect(unwrapWithPasskey(wrap, random(32))).rejects.toThrow();
    await expect(unwrapWithPasskey({ ...wrap, credential_id: "credential-b" }, prf)).rejects.toThrow();
    await expect(unwrapWithRecovery(wrap, prf)).rejects.toThrow();
  });

  it("has a fresh salt and nonce each time", async () => {
    const [seed, prf] = [random(32), random(32)];
    const [a, b] = [await wrapForPasskey(seed, prf, "c"), await wrapForPasskey(seed, prf, "c")];
    expect(a.salt).not.toBe(b.salt);
    expect(a.wrapped).not.toBe(b.wrapped);
    expect(fromBase64url(a.wrapped)).toHaveLength(12 + 32 + 16);
  });

  it("for the recovery code opens with the code and shows the server something else", async () => {
    const [seed, secret] = [random(32), random(20)];
    const wrap = await wrapForRecovery(seed, secret);
    expect(await unwrapWithRecovery(wrap, secret)).toEqual(seed);
    expect(fromBase64url(wrap.auth)).toHaveLength(32);
    await expect(unwrapWithRecovery(wrap, concat(secret.subarray(1), random(1)))).rejects.toThrow();
  });
});

describe("a recovery code", () => {
  it("reads back whatever way it is typed", () => {
    for (let i = 0; i < 50; i++) {
      const secret = random(20);
      const groups = formatRecoveryCode(secret);
      expect(groups).toHaveLength(8);
      for (const typed of [groups.join("-"), groups.join(" ").toLowerCase(), groups.join("").replaceAll("0", "O").replaceAll("1", "l")]) {
        expect(parseRecoveryCode(typed)).toEqual({ ok: true, secret });
      }
    }
  });

  it("says what is wrong with it", () => {
    expect(parseRecoveryCode("")).toEqual({ ok: false, why: "length", count: 0 });
    expect(parseRecoveryCode("AB-CD")).toEqual({ ok: false, why: "length", count: 4 });
    expect(parseRecoveryCode("UUU*")).toEqual({ ok: false, why: "characters", characters: "U *" });
    expect(normaliseRecoveryCode(" o0-iL ")).toBe("0011");
  });
});

describe("claims", () => {
  it("hand on the chosen disclosures and no other", async () => {
    const claims = await parseClaims(sdJwt({ family_name: "ERIKSSON", given_name: "ANNA MARIA", nationalities: ["UTO"], age_over_18: true }));
    expect(attributesOf(claims)).toEqual({ family_name: "ERIKSSON", given_name: "ANNA MARIA", nationalities: ["UTO"], age_over_18: true });
    const shown = await parseClaims(present(claims, new Set(["age_over_18", "not_there"])));
    expect(attributesOf(shown)).toEqual({ age_over_18: true });
    expect(present(claims, new Set())).toBe(`${claims.jwt}~`);
  });

  it("that were not signed, or come twice, or lack their end, are refused", async () => {
    const combined = sdJwt({ family_name: "ERIKSSON" });
    const foreign = toBase64url(utf8(JSON.stringify(["salt", "level", "high"])));
    await expect(parseClaims(`${combined}${foreign}~`)).rejects.toThrow("not signed");
    const own = combined.split("~")[1] ?? "";
    await expect(parseClaims(`${combined}${own}~`)).rejects.toThrow("twice");
    await expect(parseClaims(combined.slice(0, -1))).rejects.toThrow();
    await expect(parseClaims("")).rejects.toThrow();
    await expect(parseClaims("a.b~")).rejects.toThrow();
  });
});

describe("passkeys", () => {
  it("keep what the PRF yields out of what goes to the server", () => {
    const results = { credProps: { rk: true }, prf: { enabled: true, results: { first: new Uint8Array(32).buffer } } };
    const sent = publicExtensions(results);
    expect(sent).toEqual({ credProps: { rk: true }, prf: { enabled: true } });
    expect(JSON.stringify(sent)).not.toContain("first");
    expect(publicExtensions({})).toEqual({});
  });

  it("have a code for whatever the browser throws", () => {
    const named = (name: string) => passkeyProblem(Object.assign(new Error(name), { name })).code;
    expect(named("NotAllowedError")).toBe("passkey_cancelled");
    expect(named("InvalidStateError")).toBe("passkey_exists");
    expect(named("NotSupportedError")).toBe("passkey_unsupported");
    expect(named("Other")).toBe("unknown");
    expect(passkeyProblem("thrown").code).toBe("unknown");
  });
});
