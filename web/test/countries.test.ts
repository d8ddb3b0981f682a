import { describe, expect, it } from "vitest";
import { loadMessages, translator } from "../src/i18n";
import { country } from "../src/ui/countries";

const i18n = { en: translator("en", await loadMessages("en")), fr: translator("fr", await loadMessages("fr")) };

describe("states and nationalities", () => {
  it("have their name in both languages", () => {
    expect(["KOR", "D", "DEU", "BGD", "UTO"].map((c) => country(i18n.fr, c))).toEqual(["Corée du Sud", "Allemagne", "Allemagne", "Bangladesh", "Utopie (spécimen)"]);
    expect(["KOR", "ZAF", "XXA", "XXB", "XXX"].map((c) => country(i18n.en, c))).toEqual(["South Korea", "South Africa", "Stateless person", "Refugee", "Not specified"]);
  });

  it("keep the code where one state has several, and where nobody knows it", () => {
    expect(country(i18n.en, "GBN")).toBe("United Kingdom (GBN)");
    expect(country(i18n.en, "GBR")).toBe("United Kingdom");
    expect(country(i18n.en, "QQQ")).toBe("QQQ");
    expect(country(i18n.en, "constructor")).toBe("constructor");
  });
});
