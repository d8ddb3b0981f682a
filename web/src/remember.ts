/**
 * What the pages remember in the browser between visits: choices of this list and
 * nothing else. Nothing personal, no key, no identifier is ever stored.
 *
 * - language: "en" or "fr", for the next visit;
 * - recovery: "unconfirmed" while a recovery code was shown but not typed back;
 * - demo: "person" or "self", in the demonstration, for this tab only.
 */
type Name = "language" | "recovery" | "demo";

function store(name: Name): Storage {
  return name === "language" ? window.localStorage : window.sessionStorage;
}

/** Remembers a choice; a browser that refuses storage is not an error. */
export function remember(name: Name, value: string): void {
  try {
    store(name).setItem(`ipse.${name}`, value);
  } catch {
    // Storage is switched off: the choice lasts until the page is closed.
  }
}

/** The remembered choice, or null. */
export function recall(name: Name): string | null {
  try {
    return store(name).getItem(`ipse.${name}`);
  } catch {
    return null;
  }
}

/** Forgets a choice. */
export function forget(name: Name): void {
  try {
    store(name).removeItem(`ipse.${name}`);
  } catch {
    // Nothing was stored either.
  }
}
