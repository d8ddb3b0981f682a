import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sdJwt } from "../dev/mock";
import { parseClaims } from "../src/crypto/sdjwt";
import type * as vaultModule from "../src/state/vault";
import type { JournalEntry, OpenVault } from "../src/state/vault";
import type { View } from "../src/types";
import { byName, close, Events, open, settle, textOf } from "./harness";

const opened = vi.hoisted((): { vault: unknown } => ({ vault: null }));
vi.mock("../src/state/vault", async (original) => ({
  ...(await original<typeof vaultModule>()),
  signInAndOpen: () => Promise.resolve(opened.vault),
}));

afterEach(() => {
  close();
  vi.restoreAllMocks();
});

const view = (more: Partial<View>): View => ({ state: "consent", route: "camera", step: 1, steps: 6, expires_at: "2099-01-01T00:00:00Z", ...more });
const documentView = (more: Partial<NonNullable<View["document"]>> = {}): View => view({
  state: "document",
  document: { phase: "ready", pairing_code: "KQ7M-29XD", pairing_expires_at: "2099-01-01T00:00:00Z", reader_connected: true, attempts_left: 5, ...more },
});

describe("the start page", () => {
  it("has two doors of the same kind and size, and says what is kept in four lines", async () => {
    await open("/");
    const doors = [...document.querySelectorAll(".door")];
    expect(doors).toHaveLength(2);
    expect(new Set(doors.map((d) => `${d.tagName} ${d.className}`)).size).toBe(1);
    expect(document.querySelectorAll(".kept li")).toHaveLength(4);
    expect(document.title).toBe("Prove who you are, once - Ipse");
  });

  it("leads each door to the consent of its own route", async () => {
    for (const [door, word] of [["With my camera", "pictures from your camera"], ["At a counter, without a camera", "No camera is used"]] as const) {
      const page = await open("/");
      await page.click(door);
      expect(location.pathname).toBe("/prove/consent");
      expect(textOf(".letter")).toContain(word);
      close();
    }
  });

  it("offers to continue a check under way", async () => {
    await open("/", { prepare: (mock) => { mock.show(documentView()); } });
    expect(byName("a", "Continue my check").getAttribute("href")).toBe("/prove/document");
  });

  it("changes language without losing the page", async () => {
    const page = await open("/");
    await page.click("FR Français");
    expect(textOf("h1")).toBe("Prouvez qui vous êtes, une fois");
    expect(document.documentElement.lang).toBe("fr");
    expect(byName("button", "FR Français").getAttribute("aria-pressed")).toBe("true");
  });
});

describe("the consent page", () => {
  it("has nothing ticked in advance and sends nothing until it is", async () => {
    const page = await open("/");
    await page.click("With my camera");
    const box = document.querySelector<HTMLInputElement>("input[type=checkbox]");
    expect(box?.checked).toBe(false);
    await page.click("I agree, start");
    expect(page.calls).not.toContain("POST /api/proofing/consent");
    expect(box?.getAttribute("aria-invalid")).toBe("true");
    box?.click();
    await settle();
    await page.click("I agree, start");
    expect(page.calls).toContain("POST /api/proofing/consent");
    expect(location.pathname).toBe("/prove/document");
    expect(document.title).toBe("Step 2 of 6: Your document - Ipse");
  });

  it("gives yes and no the same weight", async () => {
    const page = await open("/");
    await page.click("With my camera");
    expect(byName("button", "I agree, start").className).toBe(byName("button", "I do not agree").className);
    await page.click("I do not agree");
    expect(page.calls).toContain("POST /api/proofing/abandon");
    expect(location.pathname).toBe("/");
  });
});

describe("the document page", () => {
  it("shows how the reader connects while there is none", async () => {
    await open("/prove/document", { prepare: (mock) => { mock.show(documentView({ phase: "waiting_reader", reader_connected: false })); } });
    expect(textOf(".big-code")).toBe("KQ7M-29XD");
    expect(textOf(".command code")).toContain("--code KQ7M-29XD --reader pcsc");
    expect(document.querySelector("form")).toBeNull();
  });

  /** Types the three numbers of a date, and leaves it. */
  const typeDate = async (legend: string, ...numbers: string[]) => {
    const group = [...document.querySelectorAll("fieldset")].find((f) => f.querySelector("legend")?.textContent === legend);
    for (const [i, input] of [...(group?.querySelectorAll("input") ?? [])].entries()) {
      await act(() => {
        input.value = numbers[i] ?? "";
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
    await act(() => { group?.dispatchEvent(new FocusEvent("focusout", { bubbles: true })); });
  };

  it("checks what is typed and shows the check digits", async () => {
    const page = await open("/prove/document", { prepare: (mock) => { mock.show(documentView()); } });
    await page.click("Read my document");
    expect(page.calls).not.toContain("POST /api/proofing/document");
    expect(document.querySelectorAll("[aria-invalid=true]")).toHaveLength(7); // the number, and the three parts of two dates
    await page.type("Document number", "l898902c3");
    await typeDate("Date of birth", "12", "8", "1974");
    await typeDate("Date of expiry", "15", "04", "2032");
    expect(textOf(".mrz-line")).toBe("L898902C3674081223204153");
    expect(document.querySelectorAll("[aria-invalid=true]")).toHaveLength(0);
    await page.click("Read my document");
    expect(page.calls).toContain("POST /api/proofing/document");
  });

  it("keeps what was read hidden until it is asked for", async () => {
    const page = await open("/prove/document", { prepare: (mock) => { mock.show(view({ state: "face", document_summary: { kind: "passport", issuing_state: "UTO" }, face: { phase: "ready", attempts_left: 3, steps: 6 } })); } });
    expect(document.body.textContent).not.toContain("ERIKSSON");
    expect(page.calls).not.toContain("GET /api/proofing/attributes");
    await page.click("Show what was read");
    expect(document.body.textContent).toContain("ERIKSSON");
    expect(document.body.textContent).toMatch(/12 August 1974|August 12, 1974/);
  });

  it("says why a reading failed and how many attempts are left", async () => {
    await open("/prove/document", { prepare: (mock) => { mock.show(documentView({ phase: "failed", failure: "access_denied", attempts_left: 1 })); } });
    expect(textOf("[role=alert]")).toContain("You have 1 attempt left.");
    expect(textOf("[role=alert]")).toContain("0 and O");
  });

  it("shows the demonstration's passport in the demonstration only", async () => {
    await open("/prove/document", { prepare: (mock) => { mock.show(documentView()); } });
    expect(document.querySelector(".demo-box")).toBeNull();
    close();
    const page = await open("/prove/document", { demo: true, prepare: (mock) => { mock.show(documentView()); } });
    await page.click("Use the specimen passport");
    expect(page.calls).toContain("POST /demo/api/passport");
    expect(document.querySelector<HTMLInputElement>("input.mono")?.value).toBe("L898902C3");
  });
});

describe("a session that moves while a call is under way", () => {
  const atFace = view({ state: "face", document_summary: { kind: "passport", issuing_state: "UTO" }, face: { phase: "ready", attempts_left: 3, steps: 6 } });

  it("shows what was said last, not what arrived last", async () => {
    const before = (call: string) => { if (call === "POST /api/proofing/document") Events.say(atFace); };
    const page = await open("/prove/document", { demo: true, before, prepare: (mock) => { mock.show(documentView()); } });
    await page.click("Use the specimen passport");
    await page.click("Read my document");
    expect(textOf("h1")).toContain("Your document is read");
  });

  it("does not take an old refusal for news", async () => {
    let answer: () => void = () => undefined;
    let held = false;
    const before = (call: string) => {
      if (call !== "GET /api/proofing" || held) return undefined;
      held = true;
      return new Promise<void>((resolve) => { answer = resolve; });
    };
    const page = await open("/", { before, prepare: (mock) => { mock.call = ((original) => async (method, path, body) => (method === "GET" && path === "/api/proofing" ? { status: 404, body: { code: "no_proofing" } } : original(method, path, body)))(mock.call); } });
    await page.click("With my camera");
    answer();
    await settle();
    expect(location.pathname).toBe("/prove/consent");
    expect(textOf("h1")).toContain("What you agree to");
    expect(document.querySelector("[role=alert]")).toBeNull();
  });

  it("does not hear a former check after a new one has begun", async () => {
    const before = (call: string) => { if (call === "POST /api/proofing") Events.say(view({ state: "abandoned" })); };
    const page = await open("/prove/document", { before, prepare: (mock) => { mock.show(documentView()); } });
    await page.click("Go to a counter instead");
    await page.click("Yes, at a counter");
    expect(location.pathname).toBe("/prove/consent");
    expect(page.calls).toContain("POST /api/proofing");
    expect(Events.open.size).toBe(1);
  });
});

describe("the face page", () => {
  const atFace = { prepare: (mock: { show: (v: View) => void }) => { mock.show(view({ state: "face", face: { phase: "ready", attempts_left: 3, steps: 6 } })); } };

  it("names each camera fault and keeps the counter in reach", async () => {
    for (const [name, words] of [["NotAllowedError", "may not use the camera"], ["NotFoundError", "No camera was found"], ["NotReadableError", "in use by another program"]] as const) {
      const page = await open("/prove/face", atFace);
      vi.stubGlobal("navigator", Object.assign(Object.create(navigator) as Navigator, {
        mediaDevices: { getUserMedia: () => Promise.reject(Object.assign(new Error(name), { name })) },
      }));
      await page.click("Start my camera");
      expect(textOf("[role=alert]")).toContain(words);
      expect(byName("button", "Try again")).toBeDefined();
      expect(byName("button", "Go to a counter instead")).toBeDefined();
      expect(byName("button", "Stop and erase")).toBeDefined();
      close();
    }
  });

  it("says what the colours are and lets the person do without", async () => {
    await open("/prove/face", atFace);
    const box = document.querySelector<HTMLInputElement>("input[type=checkbox]");
    expect(box?.checked).toBe(false);
    expect(document.body.textContent).toContain("six colours");
    expect(box?.closest("label")?.textContent).toContain("Do without the colours");
  });

  it("goes to a counter without argument: one question, then a new check", async () => {
    const page = await open("/prove/face", atFace);
    await page.click("Go to a counter instead");
    await page.click("Yes, at a counter");
    expect(page.calls.slice(-2)).toEqual(["POST /api/proofing/abandon", "POST /api/proofing"]);
    expect(location.pathname).toBe("/prove/consent");
  });
});

describe("a check whose time ran out", () => {
  it("says so on whatever page it happens, with two ways on", async () => {
    for (const [path, state] of [["/prove/document", documentView()], ["/prove/face", view({ state: "face", face: { phase: "ready", attempts_left: 3, steps: 6 } })]] as const) {
      const page = await open(path, { prepare: (mock) => { mock.show(state); } });
      Events.say(view({ state: "expired" }));
      await settle();
      expect(location.pathname).toBe("/prove/result");
      expect(textOf("h1")).toBe("The check has ended");
      expect(textOf(".lead")).toBe("Its time ran out. Everything read has been erased.");
      expect(byName("button", "Go to a counter instead")).toBeDefined();
      await page.click("Start again");
      expect(location.pathname).toBe("/prove/consent");
      close();
    }
  });
});

describe("the result page", () => {
  it("shows the level and each check in words", async () => {
    await open("/prove/result", { prepare: (mock) => { mock.show(view({ state: "account", result: { accepted: true, level: "substantial", retry: false, checks: [{ id: "document_genuine", result: "passed" }, { id: "chip_authentic", result: "not_offered" }] } })); } });
    expect(textOf("[data-testid=level]")).toBe("Level reached: Substantial");
    expect([...document.querySelectorAll(".checks strong")].map((e) => e.textContent)).toEqual(["Yes", "Not offered by this document"]);
  });

  it("gives a refusal its reason, what to try, and two ways of the same weight", async () => {
    await open("/prove/result", { prepare: (mock) => { mock.show(view({ state: "refused", result: { accepted: false, reason: "not_same_person", retry: true, checks: [] } })); } });
    expect(textOf("[data-testid=reason]")).toContain("person of the portrait");
    expect(byName("button", "Start again").className).toBe(byName("button", "Go to a counter instead").className);
    expect(document.body.textContent).not.toMatch(/\d\s?%/);
  });
});

describe("every page of a check", () => {
  it("without a session says so in three sentences and leads back", async () => {
    await open("/prove/face");
    expect(textOf("[role=alert]")).toContain("There is no check under way");
    expect(byName("[role=alert] a", "Start page").getAttribute("href")).toBe("/");
  });

  it("goes to where the session stands", async () => {
    await open("/prove/passkey", { prepare: (mock) => { mock.show(documentView()); } });
    expect(location.pathname).toBe("/prove/document");
  });
});

describe("the login page", () => {
  const vault = async (): Promise<OpenVault> => ({
    account: { vault: { suite: "", public_key: "", wraps: [] }, items: [], passkeys: [], recovery: null, level: "high", complete: true },
    seed: new Uint8Array(32), journal: [], unreadable: 0,
    claims: await parseClaims(sdJwt({ family_name: "ERIKSSON", given_name: "ANNA MARIA", birthdate: "1974-08-12", nationalities: ["UTO"], document_number: "L898902C3" })),
  });

  it("names what is asked for before the passkey, and no value", async () => {
    await open("/login/abc");
    expect(textOf("h1")).toBe("Utopia Tax Office asks who you are");
    expect(document.querySelectorAll(".asks li")).toHaveLength(5);
    expect(document.body.textContent).not.toContain("ERIKSSON");
    expect(byName("button", "Open with my passkey").className).toBe(byName("button", "No, send nothing").className);
  });

  it("speaks the language of the service that sent the person, unless they have chosen one", async () => {
    await open("/login/fr");
    expect(textOf("h1")).toBe("Impôts d’Utopie demande qui vous êtes");
    close();
    window.localStorage.setItem("ipse.language", "en");
    await open("/login/fr");
    expect(textOf("h1")).toBe("Utopia Tax Office asks who you are");
  });

  it("sends what is required and what was chosen, and nothing else", async () => {
    opened.vault = await vault();
    const page = await open("/login/abc");
    const sent: string[][] = [];
    const original = page.mock.call;
    page.mock.call = (method, path, body) => {
      if (path.endsWith("/consent")) {
        const parts = String(body["presentation"]).split("~").slice(1, -1);
        sent.push(parts.map((d) => (JSON.parse(Buffer.from(d, "base64url").toString()) as [string, string])[1]));
        return Promise.resolve({ status: 200, body: { redirect_to: "#sent" } });
      }
      return original(method, path, body);
    };
    await page.click("Open with my passkey");
    const switches = [...document.querySelectorAll<HTMLInputElement>("[role=switch]")];
    expect(switches.map((s) => s.checked)).toEqual([false, false]);
    expect(byName("button", "Yes, send this and log in").className).toBe(byName("button", "No, send nothing").className);
    switches[0]?.click();
    await settle();
    await page.click("Yes, send this and log in");
    expect(sent).toEqual([["family_name", "given_name", "birthdate", "nationalities"]]);
  });

  it("gives a remembered answer as soon as the account opens, unless asked not to or the terms are others", async () => {
    const line = (terms: string): JournalEntry =>
      ({ at: "2026-01-01T00:00:00Z", service: { en: "", fr: "" }, level: "high", attributes: ["family_name", "given_name", "birthdate", "nationalities"], serviceID: "tax", remembered: terms });
    const visit = async (journal: JournalEntry[], before?: () => void): Promise<[string[], unknown][]> => {
      opened.vault = { ...(await vault()), journal };
      const page = await open("/login/abc");
      const sent: [string[], unknown][] = [];
      const original = page.mock.call;
      page.mock.call = (method, path, body) => {
        if (path.endsWith("/refuse")) return Promise.resolve({ status: 200, body: { redirect_to: "#refused" } });
        if (!path.endsWith("/consent")) return original(method, path, body);
        const parts = String(body["presentation"]).split("~").slice(1, -1);
        sent.push([parts.map((d) => (JSON.parse(Buffer.from(d, "base64url").toString()) as [string, string])[1]), body["remember"]]);
        return Promise.resolve({ status: 200, body: { redirect_to: "#sent" } });
      };
      before?.();
      await settle();
      await page.click("Open with my passkey");
      if (sent.length === 0) await page.click("No, send nothing"); // which locks the account again
      close();
      return sent;
    };
    expect(await visit([line("terms-1")])).toEqual([[["family_name", "given_name", "birthdate", "nationalities"], true]]);
    expect(await visit([line("terms-0")])).toEqual([]);
    expect(await visit([line(""), line("terms-1")])).toEqual([]);
    expect(await visit([line("terms-1")], () => { document.querySelector<HTMLInputElement>("input[type=checkbox]")?.click(); })).toEqual([]);
  });

  it("says that a request is unknown", async () => {
    await open("/login/unknown");
    expect(textOf("[role=alert]")).toContain("Nothing was sent");
  });
});

describe("other pages", () => {
  it("explain the counter without a session, and an address that does not exist", async () => {
    const page = await open("/counter");
    expect(textOf("main")).toContain("Town hall, 1 Main Square");
    await page.click("Start at a counter");
    expect(location.pathname).toBe("/prove/consent");
    close();
    await open("/nowhere", { lang: "fr" });
    expect(textOf("h1")).toBe("Cette page n’existe pas");
  });

  it("show the case code at the counter when the server gives one", async () => {
    await open("/counter", { prepare: (mock) => { mock.show(view({ state: "counter", route: "counter", counter: { case_code: "4F-7K2" } })); } });
    expect(textOf("[data-testid=case-code]")).toBe("4F-7K2");
    expect(document.title).toContain("Step 3 of 6");
  });

  it("give another case code on demand, say when the agent has the case, and follow the decision", async () => {
    const code = (counter: View["counter"]) => view({ state: "counter", route: "counter", ...(counter === undefined ? {} : { counter }) });
    const soon = new Date(Date.now() + 60_000).toISOString();
    const page = await open("/counter", { prepare: (mock) => { mock.show(code({ case_code: "AAAA-2222", expires_at: soon, opened: false })); } });
    await page.click("New code");
    expect(textOf("[data-testid=case-code]")).toBe("7QXD-4F2K");
    await act(() => { Events.say(code({ case_code: "AAAA-2222", expires_at: soon, opened: true })); });
    await page.settle();
    expect(textOf("main")).toContain("The agent has your case open now.");
    expect(document.querySelector("[data-testid=case-code]")).toBeNull();
    await act(() => { Events.say(code({ case_code: "AAAA-2222", expires_at: "2020-01-01T00:00:00Z", opened: true })); });
    await page.settle();
    expect(textOf("main")).toContain("This code has expired");
    // From acceptance on nothing tells the route: the page goes on all the same.
    const accepted = view({ state: "account", result: { accepted: true, level: "high", checks: [], retry: false } });
    await act(() => { Events.say({ ...accepted, route: undefined } as unknown as View); });
    await page.settle();
    expect(location.pathname).toBe("/prove/result");
  });

  it("refuse a recovery code that cannot be one, before any call", async () => {
    const page = await open("/recover");
    await page.type("Recovery code", "AB12-U");
    await page.click("Open my account");
    expect(textOf(".error")).toContain("U cannot be part");
    expect(page.calls.filter((c) => c.includes("recovery"))).toEqual([]);
  });

  it("do not show a recovery code twice", async () => {
    await open("/prove/recovery");
    expect(textOf("h1")).toBe("The code was shown once");
  });
});
