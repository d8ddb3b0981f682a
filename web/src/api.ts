/**
 * The only door to the network. Every call goes to this origin, carries no more
 * than it must, and fails with a Problem whose code has a sentence in every language.
 */
import type {
  Account,
  AgentDecision,
  AgentSession,
  Attributes,
  AuthenticationJSON,
  CaseView,
  Config,
  CreationOptionsJSON,
  FaceMessage,
  LoginRequest,
  MrzInput,
  RecoveryWrap,
  RegistrationJSON,
  RequestOptionsJSON,
  Route,
  VaultRegistration,
  View,
  Wrap,
} from "./types";

/** A failed call (RFC 9457), or a failure of the browser's own under the same roof. */
export class Problem extends Error {
  /** Machine-readable code; `problem.<code>.*` holds its sentences. */
  readonly code: string;
  /** HTTP status, or 0 when no answer came. */
  readonly status: number;
  constructor(code: string, status = 0) {
    super(code);
    this.name = "Problem";
    this.code = code;
    this.status = status;
  }
}

/** Turns anything thrown into a Problem. */
export function asProblem(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem("unknown");
}

const codeOfStatus: Record<number, string> = {
  400: "invalid_request",
  401: "signed_out",
  403: "forbidden",
  404: "not_found",
  409: "wrong_state",
  410: "expired",
  413: "too_large",
  429: "rate_limited",
  503: "unavailable",
};

async function problemOf(response: Response): Promise<Problem> {
  let code: unknown;
  try {
    const body: unknown = await response.json();
    code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  } catch {
    code = undefined; // a proxy's page, not a problem document
  }
  const fallback = codeOfStatus[response.status] ?? (response.status >= 500 ? "internal" : "unknown");
  return new Problem(typeof code === "string" && code !== "" ? code : fallback, response.status);
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", redirect: "error" };
  if (body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  // A check and an account hang on one cookie: without it each next step would seem to come from nobody.
  if (method !== "GET" && !navigator.cookieEnabled) throw new Problem("cookies_off");
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Problem("network");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem("internal", response.status);
  }
}

async function nothing(method: string, path: string, body?: unknown): Promise<void> {
  await send(method, path, body);
}

/** A file of the build or a model, named by its hash: the browser may keep it. */
async function asset(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address, { credentials: "same-origin", redirect: "error" });
  if (!response.ok) throw await problemOf(response);
  return response.arrayBuffer();
}

const segment = encodeURIComponent;

export const api = {
  asset,
  config: () => json<Config>("GET", "/api/config"),

  startProofing: (route: Route, language: string) => json<View>("POST", "/api/proofing", { route, language }),
  proofing: () => json<View>("GET", "/api/proofing"),
  consent: (id: string) => json<View>("POST", "/api/proofing/consent", { consent_id: id, agreed: true }),
  receipt: async () => (await send("GET", "/api/proofing/receipt")).blob(),
  newReader: () => json<View>("POST", "/api/proofing/reader", {}),
  readDocument: (access: { mrz: MrzInput } | { can: string }) => json<View>("POST", "/api/proofing/document", access),
  attributes: async () => (await json<{ attributes: Attributes }>("GET", "/api/proofing/attributes")).attributes,
  accountOptions: async () => (await json<{ publicKey: CreationOptionsJSON }>("POST", "/api/proofing/account/options", {})).publicKey,
  createAccount: (body: { credential: RegistrationJSON; vault: VaultRegistration; passkey_name: string }) =>
    json<View>("POST", "/api/proofing/account", body),
  newCaseCode: () => json<View>("POST", "/api/proofing/counter", {}),
  abandon: () => json<View>("POST", "/api/proofing/abandon", {}),

  sessionOptions: async () => (await json<{ publicKey: RequestOptionsJSON }>("POST", "/api/session/options", {})).publicKey,
  openSession: (credential: AuthenticationJSON) => nothing("POST", "/api/session", { credential }),
  closeSession: () => nothing("DELETE", "/api/session", {}),
  closeSessions: () => nothing("DELETE", "/api/sessions", {}),

  account: () => json<Account>("GET", "/api/account"),
  passkeyOptions: async () => (await json<{ publicKey: CreationOptionsJSON }>("POST", "/api/account/passkeys/options", {})).publicKey,
  addPasskey: (body: { credential: RegistrationJSON; wrap: Wrap; passkey_name: string }) => nothing("POST", "/api/account/passkeys", body),
  removePasskey: (id: string) => nothing("DELETE", `/api/account/passkeys/${segment(id)}`, {}),
  setRecovery: (recovery: RecoveryWrap) => nothing("PUT", "/api/account/recovery", recovery),
  eraseAccount: () => nothing("DELETE", "/api/account", {}),
  recover: (auth: string) => nothing("POST", "/api/recovery", { auth }),

  login: (id: string) => json<LoginRequest>("GET", `/api/login/${segment(id)}`),
  loginConsent: (id: string, presentation: string, remember: boolean) =>
    json<{ redirect_to: string }>("POST", `/api/login/${segment(id)}/consent`, { presentation, remember }),
  loginRefuse: (id: string) => json<{ redirect_to: string }>("POST", `/api/login/${segment(id)}/refuse`, {}),

  enrolOptions: async (code: string) => (await json<{ publicKey: CreationOptionsJSON }>("POST", "/api/agent/enrol/options", { code })).publicKey,
  enrol: (code: string, credential: RegistrationJSON) => nothing("POST", "/api/agent/enrol", { code, credential }),
  agentOptions: async () => (await json<{ publicKey: RequestOptionsJSON }>("POST", "/api/agent/session/options", {})).publicKey,
  agentSignIn: (credential: AuthenticationJSON) => nothing("POST", "/api/agent/session", { credential }),
  agentSession: () => json<AgentSession>("GET", "/api/agent/session"),
  agentSignOut: () => nothing("DELETE", "/api/agent/session", {}),
  openCase: (code: string) => json<CaseView>("POST", "/api/agent/case", { code }),
  /** Fails when the agent's case is no longer there. */
  caseStillOpen: () => nothing("GET", "/api/agent/case"),
  casePortrait: async () => (await send("GET", "/api/agent/case/portrait")).blob(),
  releaseCase: () => nothing("DELETE", "/api/agent/case", {}),
  decisionOptions: (decision: AgentDecision) =>
    json<{ statement: string; options: { publicKey: RequestOptionsJSON } }>("POST", "/api/agent/case/decision/options", decision),
  decide: (statement: string, credential: AuthenticationJSON) => nothing("POST", "/api/agent/case/decision", { statement, credential }),

  // The demonstration only; these addresses do not exist elsewhere.
  demoPassport: (body: { portrait: string } | { person: string }) => json<{ mrz: MrzInput }>("POST", "/demo/api/passport", body),
  demoTruth: <T>(person: string) => json<T>("GET", `/demo/people/${segment(person)}/live/truth.json`),
  demoFrame: async (person: string, file: string) => (await send("GET", `/demo/people/${segment(person)}/live/${segment(file)}`)).blob(),
};

/** Follows a proofing session; calls back with every new view. Returns the function that ends it. */
export function followProofing(onView: (view: View) => void, onLost: () => void): () => void {
  const source = new EventSource("/api/proofing/events");
  source.addEventListener("view", (event: MessageEvent<string>) => {
    try {
      onView(JSON.parse(event.data) as View);
    } catch {
      onLost();
    }
  });
  source.onerror = () => {
    // The browser reconnects by itself unless the server has closed for good.
    if (source.readyState === EventSource.CLOSED) onLost();
  };
  return () => {
    source.close();
  };
}

/** Frames waiting to leave beyond this many bytes are dropped: an old picture is worth nothing. */
const maxBuffered = 256 * 1024;

/** The open face channel. */
export interface FaceChannel {
  /** Sends one JPEG with its capture time; reports false when it was dropped. */
  sendFrame: (capturedAtMs: number, jpeg: ArrayBuffer) => boolean;
  close: () => void;
}

/** Opens the face channel and asks to begin, with the colours at the end or without. onClosed is called once when it ends for whatever reason. */
export function openFace(onMessage: (message: FaceMessage) => void, onClosed: () => void, light = true): FaceChannel {
  const url = new URL("/api/proofing/face", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    socket.send(JSON.stringify(light ? { type: "start" } : { type: "start", light: false }));
  };
  socket.onmessage = (event: MessageEvent<unknown>) => {
    if (typeof event.data !== "string") return;
    try {
      onMessage(JSON.parse(event.data) as FaceMessage);
    } catch {
      socket.close();
    }
  };
  socket.onclose = () => {
    onClosed();
  };
  return {
    sendFrame: (capturedAtMs, jpeg) => {
      if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > maxBuffered) return false;
      const packet = new Uint8Array(8 + jpeg.byteLength);
      new DataView(packet.buffer).setBigUint64(0, BigInt(Math.max(0, Math.round(capturedAtMs))));
      packet.set(new Uint8Array(jpeg), 8);
      socket.send(packet);
      return true;
    },
    close: () => {
      socket.close();
    },
  };
}
