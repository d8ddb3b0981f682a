/**
 * A stand-in for the server, for work on the pages and for their tests. It keeps one
 * person in memory, answers in the shapes of the JSON API and verifies nothing:
 * signatures, passkeys and faces are accepted as they come. It is never shipped.
 *
 * The document number chooses the story: REFUSED1 ends in a refusal, WRONG0001 fails
 * to open the chip; anything else is read.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { utf8 } from "../src/crypto/bytes.ts";
import { sealItem } from "../src/crypto/hpke.ts";
import type { Account, Action, Config, ConsentText, FaceMessage, LoginRequest, Route, VaultRegistration, View, Wrap } from "../src/types.ts";

const root = join(import.meta.dirname, "..", "..");
const people = join(root, "testdata", "people", "people");

const config: Config = {
  name: "Ipse",
  operator: { name: "Utopia Digital Agency", contact: "privacy@ipse.example", privacy_url: "https://ipse.example/privacy", accessibility_url: "https://ipse.example/accessibility" },
  demo: true,
  counter: { places: ["Town hall, 1 Main Square: Monday to Friday, 9:00 to 17:00", "Prefecture, 12 River Street: Tuesday and Thursday, 8:30 to 12:00"] },
  languages: ["en", "fr"],
  version: "dev",
  light: "when_available",
};

const claims: Record<string, unknown> = {
  family_name: "ERIKSSON", given_name: "ANNA MARIA", birthdate: "1974-08-12", nationalities: ["UTO"], age_over_18: true,
  document_type: "passport", document_issuer: "UTO", document_number: "L898902C3", document_expiry: "2032-04-15", verified_on: new Date().toISOString().slice(0, 10),
};

const b64 = (data: string | Buffer): string => Buffer.from(data).toString("base64url");
const inMinutes = (n: number): string => new Date(Date.now() + n * 60_000).toISOString();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A failed call. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** The claims as an SD-JWT whose signature is three zeros. */
export function sdJwt(values: Record<string, unknown>): string {
  const disclosures = Object.entries(values).map(([name, value]) => b64(JSON.stringify([randomBytes(16).toString("base64url"), name, value])));
  const digests = disclosures.map((d) => createHash("sha256").update(d).digest("base64url"));
  const payload = { iss: "https://ipse.example", sub: "account", vct: "urn:ipse:claims:1", level: "high", _sd_alg: "sha-256", _sd: digests.sort() };
  return `${b64('{"alg":"ES256"}')}.${b64(JSON.stringify(payload))}.AAAA~${disclosures.map((d) => `${d}~`).join("")}`;
}

const taxOffice: LoginRequest["service"]["name"] = { en: "Utopia Tax Office", fr: "Impôts d’Utopie" };

interface StoredAccount {
  vault: VaultRegistration;
  items: Account["items"];
  passkeys: Account["passkeys"];
  recoveryDay: string;
}

type Handler = (body: Record<string, unknown>, path: string) => unknown;

class World {
  view: View | null = null;
  account: StoredAccount | null = null;
  signedIn = false;
  recoverySession = false;
  loginSignedIn = false;
  /** The agent at the counter: signed in, and with a case open. */
  agent = false;
  caseOpen = false;
  readonly followers = new Set<ServerResponse>();

  show(view: View): View {
    this.view = view;
    for (const follower of this.followers) follower.write(`event: view\ndata: ${JSON.stringify(view)}\n\n`);
    return view;
  }

  current(): View {
    if (this.view === null) throw new Refusal(404, "no_proofing");
    return this.view;
  }

  begin(route: Route, language: string): View {
    const texts = JSON.parse(readFileSync(join(root, "internal", "consent", "texts", `${language}.json`), "utf8")) as {
      version: string;
      routes: Record<Route, { title: string; paragraphs: string[] }>;
    };
    const { title, paragraphs } = texts.routes[route];
    const operator = config.operator.name;
    const text: ConsentText = { version: texts.version, language, route, title, paragraphs: paragraphs.map((p) => p.replaceAll("{operator}", operator)) };
    return this.show({
      state: "consent", route, step: 1, steps: 6, expires_at: inMinutes(30),
      consent: {
        id: "consent-1", version: texts.version, operator, purpose: "identity_proofing", legal_basis: route === "camera" ? ["gdpr_6_1_a", "gdpr_9_2_a"] : "gdpr_6_1_a",
        data: ["document_identity", "document_signatures", "document_portrait", ...(route === "camera" ? ["live_frames"] : [])],
        retention: ["session_memory_only", "sealed_to_person"], ends: inMinutes(30), withdraw: "stop_any_time",
        text_sha256: createHash("sha256").update(JSON.stringify(text)).digest("hex"), text,
      },
    });
  }

  pair(connected: boolean): View {
    const view = this.current();
    return this.show({
      ...view, state: "document", step: 2,
      document: { phase: connected ? "ready" : "waiting_reader", pairing_code: "KQ7M-29XD", pairing_expires_at: inMinutes(10), reader_connected: connected, attempts_left: view.document?.attempts_left ?? 5 },
    });
  }

  async read(number: string): Promise<void> {
    const files = [["COM", 26], ["SOD", 1800], ["DG1", 93], ["DG2", 15200], ["DG14", 290], ["DG15", 160]] as const;
    const total = files.reduce((n, [, size]) => n + size, 0);
    let bytes = 0;
    const { document } = this.current();
    if (document === undefined) return;
    for (const [index, [file, size]] of files.entries()) {
      for (let i = 0; i < (size > 5000 ? 6 : 1); i++) {
        await sleep(180);
        if (this.view?.state !== "document") return;
        bytes += Math.round(size / (size > 5000 ? 6 : 1));
        this.show({ ...this.current(), document: { ...document, phase: "reading", progress: { file, index, count: files.length, bytes_read: Math.min(bytes, total), bytes_total: total, seconds_left: Math.ceil(((total - bytes) / total) * 4) } } });
      }
    }
    if (number === "WRONG0001") {
      this.show({ ...this.current(), document: { ...document, phase: "failed", failure: "access_denied", attempts_left: document.attempts_left - 1 } });
      return;
    }
    const rest = { ...this.current() };
    delete rest.document;
    if (number === "REFUSED1") {
      this.show({ ...rest, state: "refused", step: 4, result: { accepted: false, reason: "document_not_genuine", retry: true, checks: [{ id: "document_genuine", result: "failed" }, { id: "chip_authentic", result: "not_offered" }] } });
      return;
    }
    const summary = { kind: "passport", issuing_state: "UTO" };
    if (rest.route === "counter") this.show({ ...rest, state: "counter", step: 3, document_summary: summary, counter: this.caseCode("4F7K-2QXD") });
    else this.show({ ...rest, state: "face", step: 3, document_summary: summary, face: { phase: "ready", attempts_left: 3, steps: 6 } });
  }

  caseCode(code: string): NonNullable<View["counter"]> {
    return { case_code: code, expires_at: inMinutes(15), opened: false };
  }

  /** The agent's case is over, in whichever way. */
  closeCase(next?: Partial<View>): null {
    if (!this.agent) throw new Refusal(401, "signed_out");
    this.caseOpen = false;
    if (next !== undefined && this.view?.state === "counter") this.show({ ...this.view, ...next });
    return null;
  }

  accept(): void {
    const checks = (["document_genuine", "chip_authentic", "document_valid", "person"] as const).map((id) => ({ id, result: "passed" as const }));
    this.show({ ...this.current(), state: "account", step: 4, result: { accepted: true, level: "high", checks, retry: false } });
  }

  async create(vault: VaultRegistration, name: string): Promise<View> {
    const sealed = await sealItem(vault.public_key, "claims", utf8(sdJwt(claims)));
    const day = new Date().toISOString().slice(0, 10);
    this.account = {
      vault, items: [{ id: "i1", kind: "claims", sealed }], recoveryDay: day,
      passkeys: [{ id: vault.wraps[0]?.credential_id ?? "", name, created_on: day }],
    };
    this.signedIn = true;
    return this.show({ ...this.current(), state: "done", step: 6 });
  }

  owned(): StoredAccount {
    if (this.account === null || !this.signedIn) throw new Refusal(401, "signed_out");
    return this.account;
  }

  accountJson(): Account {
    const { vault, items, passkeys, recoveryDay } = this.owned();
    const recovery: Wrap = { kind: "recovery", credential_id: "", salt: vault.recovery.salt, wrapped: vault.recovery.wrapped };
    return {
      vault: { suite: vault.suite, public_key: vault.public_key, wraps: this.recoverySession ? [...vault.wraps, recovery] : vault.wraps },
      items, passkeys, recovery: { created_on: recoveryDay }, level: "high", complete: true,
    };
  }

  loginJson(): LoginRequest {
    return {
      service: { id: "tax", name: taxOffice, policy_url: "https://tax.example/privacy" },
      purpose: { en: "To show you your tax file and let you file your return.", fr: "Vous montrer votre dossier fiscal et vous laisser déposer votre déclaration." },
      legal_basis: { en: "Tax code of Utopia, article 12", fr: "Code des impôts d’Utopie, article 12" }, acr: "eidas2", level_required: "substantial",
      attributes: [{ name: "family_name", essential: true }, { name: "given_name", essential: true }, { name: "birthdate", essential: true }, { name: "nationalities", essential: false }, { name: "document_number", essential: false }],
      terms: "terms-1", expires_at: inMinutes(10), signed_in: this.loginSignedIn,
    };
  }
}

function creationOptions(): unknown {
  return {
    publicKey: {
      rp: { name: "Ipse", id: "localhost" }, user: { id: b64(randomBytes(16)), name: "Ipse", displayName: "Ipse" }, challenge: b64(randomBytes(32)),
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }], attestation: "none",
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    },
  };
}

const requestOptions = () => ({ publicKey: { challenge: b64(randomBytes(32)), rpId: "localhost", userVerification: "required" } });

function routes(world: World): Record<string, Handler> {
  return {
    "GET /api/config": () => config,
    "GET /api/proofing": () => world.current(),
    "POST /api/proofing": (body) => world.begin(body["route"] as Route, body["language"] === "fr" ? "fr" : "en"),
    "POST /api/proofing/consent": () => world.pair(false),
    "GET /api/proofing/receipt": () => ({ payload: "specimen", signatures: [] }),
    "POST /api/proofing/reader": () => world.pair(false),
    "POST /api/proofing/document": (body) => {
      void world.read((body["mrz"] as { document_number?: string } | undefined)?.document_number ?? "");
      return world.current();
    },
    "GET /api/proofing/attributes": () => ({ attributes: claims }),
    "POST /api/proofing/account/options": creationOptions,
    "POST /api/proofing/account": (body) => world.create(body["vault"] as VaultRegistration, body["passkey_name"] as string),
    "POST /api/proofing/abandon": () => world.show({ ...world.current(), state: "abandoned" }),
    "POST /api/proofing/counter": () => world.show({ ...world.current(), counter: world.caseCode("7QXD-4F2K") }),
    "POST /api/agent/enrol/options": (body) => {
      if (body["code"] === "used") throw new Refusal(404, "enrolment_unknown");
      return creationOptions();
    },
    "POST /api/agent/enrol": () => { world.agent = true; return null; },
    "POST /api/agent/session/options": requestOptions,
    "POST /api/agent/session": () => { world.agent = true; world.caseOpen = false; return null; },
    "GET /api/agent/session": () => {
      if (!world.agent) throw new Refusal(401, "signed_out");
      return { name: "A. Agent", idle_s: 600, case_open: world.caseOpen, checklist: ["portrait_matches", "document_intact", "holder_present"], reasons: ["portrait_differs", "document_altered", "not_the_holder", "person_withdrew", "in_doubt"] };
    },
    "DELETE /api/agent/session": () => { world.agent = false; world.caseOpen = false; return null; },
    "POST /api/agent/case": (body) => {
      if (!world.agent) throw new Refusal(401, "signed_out");
      if (String(body["code"]).startsWith("WRONG")) throw new Refusal(404, "case_unknown");
      world.caseOpen = true;
      if (world.view?.counter !== undefined) world.show({ ...world.view, counter: { ...world.view.counter, opened: true } });
      return {
        family_name: "ERIKSSON", given_name: "ANNA MARIA", birthdate: "1974-08-12", document_type: "passport", document_issuer: "UTO",
        document_number: "L898902C3", document_expiry: "2032-04-15", portrait: true, expires_at: inMinutes(15),
      };
    },
    "GET /api/agent/case": () => {
      if (!world.agent) throw new Refusal(401, "signed_out");
      if (!world.caseOpen || (world.view !== null && world.view.state !== "counter")) throw new Refusal(404, "case_unknown");
      return null;
    },
    "GET /api/agent/case/portrait": () => ({}),
    "DELETE /api/agent/case": () => world.closeCase({ counter: world.caseCode("9WXY-3ACD") }),
    "POST /api/agent/case/decision/options": (body) => ({ statement: b64(JSON.stringify(body)), options: requestOptions() }),
    "POST /api/agent/case/decision": (body) => {
      const { approved } = JSON.parse(Buffer.from(String(body["statement"]), "base64url").toString()) as { approved: boolean };
      if (approved && world.view?.state === "counter") world.accept();
      return world.closeCase(approved ? undefined : { state: "refused", result: { accepted: false, reason: "counter_refused", checks: [], retry: true } });
    },
    "POST /api/session/options": requestOptions,
    "POST /api/session": () => {
      if (world.account === null) throw new Refusal(401, "passkey_refused");
      world.signedIn = true;
      world.recoverySession = false;
      world.loginSignedIn = true;
      return { account: {} };
    },
    "DELETE /api/session": () => { world.signedIn = false; return null; },
    "GET /api/account": () => world.accountJson(),
    "POST /api/account/passkeys/options": creationOptions,
    "POST /api/account/passkeys": (body) => {
      const account = world.owned();
      const wrap = body["wrap"] as Wrap;
      account.vault.wraps.push(wrap);
      account.passkeys.push({ id: wrap.credential_id, name: body["passkey_name"] as string, created_on: new Date().toISOString().slice(0, 10) });
      return null;
    },
    "PUT /api/account/recovery": (body) => { world.owned().vault.recovery = body as unknown as VaultRegistration["recovery"]; return null; },
    "DELETE /api/account": () => { world.owned(); world.account = null; world.signedIn = false; return null; },
    "POST /api/recovery": (body) => {
      if (world.account === null || world.account.vault.recovery.auth !== body["auth"]) throw new Refusal(401, "recovery_refused");
      world.signedIn = true;
      world.recoverySession = true;
      return { account: {} };
    },
    "POST /demo/api/passport": () => {
      setTimeout(() => { if (world.view?.state === "document") world.pair(true); }, 400);
      return { mrz: { document_number: "L898902C3", birth_date: "1974-08-12", expiry_date: "2032-04-15" } };
    },
  };
}

const patterns: [RegExp, (world: World) => Handler][] = [
  [/^DELETE \/api\/account\/passkeys\/.+$/, (world) => (_body, path) => {
    const account = world.owned();
    const id = decodeURIComponent(path.split("/").pop() ?? "");
    account.passkeys = account.passkeys.filter((p) => p.id !== id);
    account.vault.wraps = account.vault.wraps.filter((w) => w.credential_id !== id);
    return null;
  }],
  [/^GET \/api\/login\/[^/]+$/, (world) => (_body, path) => {
    if (path.endsWith("/unknown")) throw new Refusal(404, "login_unknown");
    // A login named after a language comes from a service that speaks it.
    return path.endsWith("/fr") ? { ...world.loginJson(), language: "fr" } : world.loginJson();
  }],
  [/^POST \/api\/login\/[^/]+\/consent$/, (world) => async (body) => {
    const account = world.owned();
    const names = String(body["presentation"]).split("~").slice(1, -1).map((d) => (JSON.parse(Buffer.from(d, "base64url").toString()) as string[])[1]);
    const line = JSON.stringify({ time: new Date().toISOString(), service_id: "tax", service: taxOffice, acr: "eidas3", attributes: names, terms: "terms-1", remembered: body["remember"] === true });
    account.items.push({ id: `i${account.items.length + 1}`, kind: "journal", sealed: await sealItem(account.vault.public_key, "journal", utf8(line)) });
    return { redirect_to: "/me" };
  }],
  [/^POST \/api\/login\/[^/]+\/refuse$/, () => () => ({ redirect_to: "/" })],
];

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
}

const actions: Action[] = ["center", "turnLeft", "lookUp", "smile", "turnRight", "blink"];

/** Plays a check: each instruction is "done" after some seconds, with a hint before the first. */
function playFace(world: World, socket: WebSocket): void {
  const tell = (message: FaceMessage) => { socket.send(JSON.stringify(message)); };
  let frames = 0;
  let started = false;
  socket.on("message", (_data, binary) => {
    if (binary) frames++;
    else if (!started) {
      started = true;
      void (async () => {
        for (const [index, action] of actions.entries()) {
          tell({ type: "instruction", index, of: actions.length, action, timeout_ms: 10_000 });
          await sleep(1200);
          if (index === 0) tell({ type: "hint", hint: "come_closer" });
          await sleep(1300);
          if (socket.readyState !== socket.OPEN) return; // the page has gone
          tell({ type: "step_done", index });
          await sleep(250);
        }
        await sleep(400);
        if (frames > 20) {
          world.accept();
          tell({ type: "decision", accepted: true });
        } else tell({ type: "decision", accepted: false, reason: "poor_quality", attempts_left: 2 });
        socket.close();
      })();
    }
  });
}

export interface Answer {
  status: number;
  body: unknown;
}

export interface Mock {
  /** One call, without HTTP: what the tests of the pages use. */
  call: (method: string, path: string, body: Record<string, unknown>) => Promise<Answer>;
  /** Puts the session anywhere, for tests. */
  show: (view: View) => void;
  handles: (url: string) => boolean;
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  face: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export function createMock(): Mock {
  const world = new World();
  const table = routes(world);
  const sockets = new WebSocketServer({ noServer: true });

  const call = async (method: string, path: string, body: Record<string, unknown>): Promise<Answer> => {
    const key = `${method} ${path}`;
    try {
      const handler = table[key] ?? patterns.find(([pattern]) => pattern.test(key))?.[1](world);
      if (handler === undefined) throw new Refusal(404, "not_found");
      const result = await handler(body, path);
      return { status: result === null ? 204 : 200, body: result };
    } catch (thrown) {
      const { status, code } = thrown instanceof Refusal ? thrown : new Refusal(500, "internal");
      return { status, body: { type: "about:blank", status, code } };
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/api/proofing/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
      world.followers.add(response);
      request.on("close", () => world.followers.delete(response));
      if (world.view !== null) response.write(`event: view\ndata: ${JSON.stringify(world.view)}\n\n`);
      return;
    }
    const frame = /^\/demo\/people\/(p\d\d)\/live\/([\w.]+)$/.exec(path);
    if (frame !== null) {
      response.writeHead(200, { "Content-Type": path.endsWith(".jpg") ? "image/jpeg" : "application/json" });
      response.end(readFileSync(join(people, frame[1] ?? "", "live", frame[2] ?? "")));
      return;
    }
    if (path === "/api/agent/case/portrait") {
      response.writeHead(200, { "Content-Type": "image/jpeg", "Cache-Control": "no-store" });
      response.end(readFileSync(join(people, "p02", "portrait.jpg")));
      return;
    }
    const { status, body } = await call(request.method ?? "GET", path, await bodyOf(request));
    response.writeHead(status, { "Content-Type": status < 300 ? "application/json" : "application/problem+json", "Cache-Control": "no-store" });
    response.end(body === null ? undefined : JSON.stringify(body));
  };

  return {
    handles: (url) => url.startsWith("/api/") || url.startsWith("/demo/"),
    call,
    show: (view) => { world.show(view); },
    answer,
    face: (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (ws) => { playFace(world, ws); });
    },
  };
}
