import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";
import { recall, remember } from "../remember";
import type { Localised } from "../types";
import type { en } from "./en";

/** The languages of the pages, equal in rank. */
export const languages = ["en", "fr"] as const;
export type Language = (typeof languages)[number];

/** Each language's own name for itself. */
export const languageNames: Record<Language, string> = { en: "English", fr: "Français" };

type Catalogue = typeof en;
export type MessageKey = keyof Catalogue;
export type Messages = Record<MessageKey, string>;

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;
type Values<K extends MessageKey> = Record<Placeholders<Catalogue[K]>, string | number>;
/** The values a message needs: none, or one for each `{name}` in it. */
export type Args<K extends MessageKey> = [Placeholders<Catalogue[K]>] extends [never] ? [] : [values: Values<K>];

/** The keys of messages without values. */
export type PlainKey = { [K in MessageKey]: [Placeholders<Catalogue[K]>] extends [never] ? K : never }[MessageKey];

/** Base of the keys that come in plural forms. */
export type PluralKey = { [K in MessageKey]: K extends `${infer Base}_other` ? (`${Base}_one` extends MessageKey ? Base : never) : never }[MessageKey];

export interface I18n {
  lang: Language;
  setLang: (lang: Language) => void;
  /** Takes the language of a service that sends the person here, unless they have chosen one themselves. */
  suggest: (tag: string) => void;
  /** The message of a key. */
  t: <K extends MessageKey>(key: K, ...args: Args<K>) => string;
  /** The plural form of a key for a count. */
  tn: (base: PluralKey, count: number) => string;
  /** The message of `prefix.code` if there is one, else of the fallback. */
  code: (prefix: string, code: string, suffix: string, fallback: MessageKey) => string;
  /** A service's own words in this language, or in the one it has. */
  own: (text: Localised) => string;
  /** A calendar date YYYY-MM-DD in words, or the text itself if it is none. */
  date: (iso: string) => string;
  /** The time of day of an instant; with the day if it is not today. */
  time: (instant: string) => string;
}

/** Replaces each `{name}` by its value. */
export function fill(message: string, values: Record<string, string | number>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** The language to begin with: the one chosen here before, else the browser's first that exists. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const chosen = recall("language");
  const found = [...(chosen === null ? [] : [chosen]), ...wanted]
    .map((tag) => languages.find((l) => tag.toLowerCase() === l || tag.toLowerCase().startsWith(`${l}-`)))
    .find((l) => l !== undefined);
  return found ?? "en";
}

/** Loads one language's messages; the other is not fetched until it is chosen. */
export async function loadMessages(lang: Language): Promise<Messages> {
  return lang === "fr" ? (await import("./fr")).fr : (await import("./en")).en;
}

/** Makes the translation functions for messages already loaded. */
export function translator(lang: Language, messages: Messages): Omit<I18n, "setLang" | "suggest"> {
  const plural = new Intl.PluralRules(lang);
  // Dates and times follow the browser's region where it has one for this language.
  const region = navigator.languages.find((tag) => tag.startsWith(`${lang}-`)) ?? (lang === "en" ? "en-GB" : lang);
  const look = (key: string): string | undefined => (key in messages ? messages[key as MessageKey] : undefined);
  return {
    lang,
    t: (key, ...args) => fill(messages[key], args[0] ?? {}),
    tn: (base, count) => fill(look(`${base}_${plural.select(count)}`) ?? messages[`${base}_other`], { count }),
    code: (prefix, code, suffix, fallback) => fill(look(`${prefix}.${code}${suffix}`) ?? messages[fallback], { code }),
    own: (text) => text[lang] || text.en || text.fr,
    date: (iso) => {
      const when = new Date(`${iso.slice(0, 10)}T00:00:00Z`);
      return /^\d{4}-\d{2}-\d{2}/.test(iso) && !Number.isNaN(when.getTime())
        ? new Intl.DateTimeFormat(region, { dateStyle: "long", timeZone: "UTC" }).format(when)
        : iso;
    },
    time: (instant) => {
      const when = new Date(instant);
      if (Number.isNaN(when.getTime())) return instant;
      const today = when.toDateString() === new Date().toDateString();
      return new Intl.DateTimeFormat(region, today ? { timeStyle: "short" } : { dateStyle: "long", timeStyle: "short" }).format(when);
    },
  };
}

const Context = createContext<I18n | null>(null);

/** The translation functions of the page. */
export function useI18n(): I18n {
  const value = useContext(Context);
  if (value === null) throw new Error("useI18n outside of I18nProvider");
  return value;
}

interface ProviderProps {
  lang: Language;
  messages: Messages;
  children: ComponentChildren;
}

/** Gives the pages their language and lets them change it without losing anything typed. */
export function I18nProvider({ lang, messages, children }: ProviderProps) {
  const [current, setCurrent] = useState({ lang, messages });
  useEffect(() => {
    document.documentElement.lang = current.lang;
  }, [current.lang]);
  const show = useCallback((next: Language) => {
    void loadMessages(next).then((loaded) => {
      setCurrent({ lang: next, messages: loaded });
    });
  }, []);
  const setLang = useCallback((next: Language) => {
    remember("language", next);
    show(next);
  }, [show]);
  const suggest = useCallback((tag: string) => {
    const found = languages.find((l) => tag === l || tag.startsWith(`${l}-`));
    if (found !== undefined && recall("language") === null) show(found);
  }, [show]);
  const value = useMemo<I18n>(() => ({ ...translator(current.lang, current.messages), setLang, suggest }), [current, setLang, suggest]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}
