import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { fr } from "../src/i18n/fr";
import { fill, preferredLanguage, translator, type Messages } from "../src/i18n";

const catalogues = { en: en as Messages, fr: fr as Messages };
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("messages", () => {
  it("exist in both languages with the same values", () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect([key, placeholders(fr[key])]).toEqual([key, placeholders(en[key])]);
      expect(fr[key].trim(), key).toBe(fr[key]);
      expect(fr[key].length, key).toBeGreaterThan(0);
      expect(en[key].length, key).toBeGreaterThan(0);
    }
  });

  it("share a length budget: neither language is twice the other", () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      const [shorter, longer] = [en[key].length, fr[key].length].sort((a, b) => a - b) as [number, number];
      expect(longer, key).toBeLessThanOrEqual(2 * shorter + 16);
    }
  });

  it("are typeset: curly apostrophes, real ellipses, French spaces that do not break", () => {
    for (const [lang, messages] of Object.entries(catalogues)) {
      for (const [key, text] of Object.entries(messages)) {
        expect(text, `${lang} ${key}`).not.toMatch(/['"]|\.\.\.|\s{2}/);
        if (lang === "fr") expect(text, `fr ${key}`).not.toMatch(/ [:;!?%»]|« |[^\s\u202f][;!?]|[^\s\u00a0]:(?!\/\/)/);
        else expect(text, `en ${key}`).not.toMatch(/\s[:;!?%]/);
      }
    }
  });

  it("come in whole plural forms", () => {
    for (const key of Object.keys(en).filter((k) => k.endsWith("_one"))) expect(en).toHaveProperty([key.replace(/_one$/, "_other")]);
    for (const lang of ["en", "fr"] as const) {
      const { tn } = translator(lang, catalogues[lang]);
      for (const count of [0, 1, 2, 1_000_000]) expect(tn("document.left", count)).toContain(String(count));
    }
    expect(translator("fr", catalogues.fr).tn("document.attempts", 0)).toBe("Il vous reste 0 essai.");
    expect(translator("en", catalogues.en).tn("document.attempts", 0)).toBe("You have 0 attempts left.");
  });

  it("say three things of each problem and two of each reason and camera fault", () => {
    const bases = (prefix: string) => new Set(Object.keys(en).filter((k) => k.startsWith(prefix) && k.split(".").length === 3).map((k) => k.split(".")[1]));
    for (const code of bases("problem.")) for (const part of ["what", "means", "do"]) expect(en).toHaveProperty([`problem.${code}.${part}`]);
    for (const prefix of ["reason.", "camera."]) {
      for (const code of bases(prefix)) for (const part of ["what", "do"]) expect(en).toHaveProperty([`${prefix}${code}.${part}`]);
    }
  });

  it("never blame, never score and never use the words that the design forbids", () => {
    for (const [lang, messages] of Object.entries(catalogues)) {
      for (const [key, text] of Object.entries(messages)) {
        expect(text.toLowerCase(), `${lang} ${key}`).not.toMatch(/biometric template|gabarit|verification failed|échec de la vérification|score|similarit|invalid|illegal/);
      }
    }
  });
});

describe("translation", () => {
  it("fills values and leaves braces of values alone", () => {
    expect(fill("{a} and {b}", { a: "{b}", b: 2 })).toBe("{b} and 2");
    expect(fill("{missing}", {})).toBe("{missing}");
  });

  it("falls back to a sentence for a code that it does not know", () => {
    const { code } = translator("en", catalogues.en);
    expect(code("reason", "brand_new", ".what", "reason.unknown.what")).toBe(en["reason.unknown.what"]);
    expect(code("problem", "brand_new", ".do", "problem.unknown.do")).toContain("brand_new");
  });

  it("writes dates in words and leaves what is no date", () => {
    const { date } = translator("fr", catalogues.fr);
    expect(date("1974-08-12")).toBe("12 août 1974");
    expect(date("1974-08-12T10:00:00Z")).toBe("12 août 1974");
    expect(date("unknown")).toBe("unknown");
    expect(date("1974-13-40")).toBe("1974-13-40");
  });

  it("begins in the browser's first language that exists", () => {
    expect(preferredLanguage(["de-DE", "fr-CH", "en"])).toBe("fr");
    expect(preferredLanguage(["en-GB"])).toBe("en");
    expect(preferredLanguage(["french", "de"])).toBe("en");
    expect(preferredLanguage([])).toBe("en");
  });
});
