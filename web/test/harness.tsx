// Renders the whole application against the stand-in server, and finds things the way people do.
import { render } from "preact";
import { act } from "preact/test-utils";
import { vi } from "vitest";
import { createMock, type Mock } from "../dev/mock";
import { App } from "../src/app";
import { I18nProvider, loadMessages, type Language } from "../src/i18n";
import type { Config, View } from "../src/types";

/** An event source that speaks when a test does: the tests move the session themselves. */
export class Events extends EventTarget {
  static readonly CLOSED = 2;
  static readonly open = new Set<Events>();
  readonly readyState = 0;
  onerror: (() => void) | null = null;

  constructor() {
    super();
    Events.open.add(this);
  }

  close(): void {
    this.onerror = null;
    Events.open.delete(this);
  }

  static say(view: View): void {
    for (const source of Events.open) source.dispatchEvent(new MessageEvent("view", { data: JSON.stringify(view) }));
  }
}

export interface Page {
  mock: Mock;
  /** Calls made so far, as "METHOD path". */
  calls: string[];
  settle: () => Promise<void>;
  click: (name: string) => Promise<void>;
  type: (label: string, value: string) => Promise<void>;
}

type Operation = (this: SubtleCrypto, ...given: unknown[]) => Promise<unknown>;

/** Operations of WebCrypto under way: they run in threads of their own, and no number of turns waits for them. */
let computing = 0;
const operations = Object.getPrototypeOf(crypto.subtle) as Record<string, Operation>;
for (const name of ["decrypt", "deriveBits", "deriveKey", "digest", "encrypt", "exportKey", "generateKey", "importKey", "sign", "verify"]) {
  const operation = operations[name];
  if (operation === undefined) continue;
  operations[name] = async function (...given) {
    computing++;
    try {
      return await operation.apply(this, given);
    } finally {
      computing--;
    }
  };
}

/** Lets every pending promise, computation and render finish. */
export async function settle(): Promise<void> {
  // act renders at its end, so a chain of fetch, render and effect takes several.
  for (let quiet = 0; quiet < 8; quiet = computing === 0 ? quiet + 1 : 0) {
    await act(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
  }
}

const nameOf = (element: Element): string => {
  const by = element.getAttribute("aria-labelledby");
  const text = by === null ? (element.getAttribute("aria-label") ?? element.textContent) : (document.getElementById(by)?.textContent ?? "");
  return text.replace(/\s+/g, " ").trim();
};

/** The one element of a kind with a name, or whose longer name begins with it. */
export function byName(selector: string, name: string): HTMLElement {
  const all = [...document.querySelectorAll<HTMLElement>(selector)];
  const exact = all.filter((e) => nameOf(e) === name);
  const found = exact.length > 0 ? exact : all.filter((e) => nameOf(e).startsWith(`${name} `));
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} elements named ${name}: ${[...document.querySelectorAll(selector)].map(nameOf).join(" | ")}`);
  return found[0];
}

export const textOf = (selector: string): string => document.querySelector(selector)?.textContent ?? "";

// Fetched lazily by the application: loaded before the first test, so that they are there at once.
await Promise.all([
  loadMessages("en"), loadMessages("fr"), import("../src/pages/face"), import("../src/pages/login"), import("../src/pages/me"), import("../src/pages/recover"), import("../src/demo/passport"), import("../src/agent/agent"), import("../src/agent/enrol"),
  import("../src/crypto/hpke"), import("uqr"),
]);

export async function open(path: string, options: { lang?: Language; demo?: boolean; prepare?: (mock: Mock) => unknown; before?: (call: string) => unknown } = {}): Promise<Page> {
  const mock = createMock();
  const calls: string[] = [];
  await options.prepare?.(mock);
  Events.open.clear();
  vi.stubGlobal("EventSource", Events);
  vi.stubGlobal("fetch", async (target: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    calls.push(`${method} ${target}`);
    await options.before?.(`${method} ${target}`);
    const { status, body } = await mock.call(method, target, typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {});
    return new Response(body === null ? null : JSON.stringify(body), { status });
  });
  history.replaceState(null, "", path);
  const config = { ...((await mock.call("GET", "/api/config", {})).body as Config), demo: options.demo ?? false };
  const lang = options.lang ?? "en";
  const messages = await loadMessages(lang);
  document.body.innerHTML = "<div id=app></div>";
  const root = document.getElementById("app");
  if (root === null) throw new Error("no root");
  await act(() => {
    render(<I18nProvider lang={lang} messages={messages}><App config={config} /></I18nProvider>, root);
  });
  await settle();
  const click = async (name: string) => {
    await act(() => { byName("button, a, input[type=checkbox], summary", name).click(); });
    await settle();
  };
  const type = async (label: string, value: string) => {
    const id = byName("label", label).getAttribute("for") ?? "";
    const input = document.getElementById(id) as HTMLInputElement;
    await act(() => {
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("blur"));
    });
    await settle();
  };
  return { mock, calls, settle, click, type };
}

export function close(): void {
  const root = document.getElementById("app");
  if (root !== null) render(null, root);
  vi.unstubAllGlobals();
  window.sessionStorage.clear();
  window.localStorage.clear();
}
