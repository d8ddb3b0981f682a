/** The shapes of the JSON API under /api, as docs/api.md describes them. */

export interface Config {
  name: string;
  operator: { name: string; contact: string; privacy_url: string; accessibility_url: string };
  demo: boolean;
  counter: { places: string[] };
  languages: string[];
  version: string;
  /** Whether the live check ends with colours on the screen, and what follows without. */
  light: "off" | "when_available" | "required";
}

export type Route = "camera" | "counter";
export type ProofingState = "consent" | "document" | "face" | "counter" | "account" | "done" | "refused" | "abandoned" | "expired";

/** The consent text exactly as shown and hashed into the receipt. */
export interface ConsentText {
  version: string;
  language: string;
  route: string;
  title: string;
  paragraphs: string[];
}

export interface ConsentView {
  id: string;
  version: string;
  operator: { name: string; contact?: string; privacy_url?: string } | string;
  purpose: string;
  data: string[];
  legal_basis: string | string[];
  retention: string[];
  ends: string;
  withdraw: string;
  text_sha256: string;
  text?: ConsentText;
}

export interface Progress {
  file: string;
  index: number;
  count: number;
  bytes_read: number;
  bytes_total: number;
  seconds_left: number;
}

export interface DocumentView {
  phase: "waiting_reader" | "ready" | "reading" | "failed";
  pairing_code: string;
  pairing_expires_at: string;
  reader_connected: boolean;
  progress?: Progress | null;
  failure?: string;
  attempts_left: number;
}

export interface FaceView {
  phase: "ready" | "running" | "failed";
  failure?: string;
  attempts_left: number;
  steps: number;
}

export type Outcome = "passed" | "failed" | "not_offered" | "skipped";
export type Level = "high" | "substantial" | "low";

export interface ResultView {
  accepted: boolean;
  level?: Level | "";
  reason?: string;
  checks: { id: string; result: Outcome }[];
  retry: boolean;
  /** When the camera may be used again with this document. */
  retry_at?: string;
}

/** A proofing session as the person may see it. */
export interface View {
  state: ProofingState;
  route: Route;
  step: number;
  steps: number;
  expires_at: string;
  consent?: ConsentView;
  document?: DocumentView;
  face?: FaceView;
  counter?: { case_code?: string; expires_at?: string; opened?: boolean };
  result?: ResultView;
  document_summary?: { kind: string; issuing_state: string };
}

export interface MrzInput {
  document_number: string;
  birth_date: string;
  expiry_date: string;
}

/** Claims by name; a value is a string, a list of strings or true. */
export type ClaimValue = string | boolean | string[];
export type Attributes = Record<string, ClaimValue>;

/** One way in: the person's private key, wrapped. */
export interface Wrap {
  kind: "passkey" | "recovery";
  credential_id: string;
  salt: string;
  wrapped: string;
}

export interface RecoveryWrap {
  salt: string;
  wrapped: string;
  auth: string;
}

export interface VaultRegistration {
  suite: string;
  public_key: string;
  wraps: Wrap[];
  recovery: RecoveryWrap;
}

export interface Account {
  vault: { suite: string; public_key: string; wraps: Wrap[] };
  items: { id: string; kind: "claims" | "journal"; sealed: string }[];
  passkeys: { id: string; name: string; created_on: string }[];
  recovery: { created_on: string } | null;
  level: Level | "";
  complete: boolean;
}

/** A service's own words, in the languages it gives them; a missing language is empty. */
export interface Localised {
  en: string;
  fr: string;
}

export interface LoginRequest {
  service: { id: string; name: Localised; logo_url?: string; policy_url?: string };
  purpose: Localised;
  legal_basis: Localised;
  acr: string;
  level_required: Level | "";
  attributes: { name: string; essential: boolean }[];
  /** Names all of the above: a remembered answer holds for the same terms. Empty: ask. */
  terms: string;
  expires_at: string;
  /** The language that the service asked for, where it did. */
  language?: string;
  signed_in: boolean;
}

/** An agent who is signed in at the counter. */
export interface AgentSession {
  name: string;
  /** The session ends after so many seconds without a call. */
  idle_s: number;
  /** A case is open from before: this page was reloaded. */
  case_open: boolean;
  checklist: string[];
  reasons: string[];
}

/** What an agent sees of a person, but for the portrait. */
export interface CaseView {
  family_name: string;
  given_name: string;
  birthdate: string;
  document_type: string;
  document_issuer: string;
  document_number: string;
  document_expiry: string;
  portrait: boolean;
  expires_at: string;
}

export interface AgentDecision {
  approved: boolean;
  checklist: string[];
  reason: string;
}

// WebAuthn Level 3 JSON forms (§5.1.8 and §5.1.9), as far as they are used here.
export interface CredentialDescriptorJSON {
  type: "public-key";
  id: string;
  transports?: string[];
}

export interface CreationOptionsJSON {
  rp: { id?: string; name: string };
  user: { id: string; name: string; displayName: string };
  challenge: string;
  pubKeyCredParams: { type: "public-key"; alg: number }[];
  timeout?: number;
  excludeCredentials?: CredentialDescriptorJSON[];
  authenticatorSelection?: AuthenticatorSelectionCriteria;
  attestation?: AttestationConveyancePreference;
  hints?: string[];
}

export interface RequestOptionsJSON {
  challenge: string;
  timeout?: number;
  rpId?: string;
  allowCredentials?: CredentialDescriptorJSON[];
  userVerification?: UserVerificationRequirement;
  hints?: string[];
}

export interface RegistrationJSON {
  id: string;
  rawId: string;
  type: "public-key";
  authenticatorAttachment?: string;
  response: { clientDataJSON: string; attestationObject: string; transports: string[] };
  clientExtensionResults: Record<string, unknown>;
}

export interface AuthenticationJSON {
  id: string;
  rawId: string;
  type: "public-key";
  authenticatorAttachment?: string;
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string };
  clientExtensionResults: Record<string, unknown>;
}

// The face channel.
export type Action = "center" | "turnLeft" | "turnRight" | "lookUp" | "lookDown" | "smile" | "openMouth" | "blink" | "light";

export type FaceMessage =
  | { type: "instruction"; index: number; of: number; action: Action; timeout_ms: number }
  | { type: "hint"; hint: string }
  | { type: "light"; colour?: string }
  | { type: "step_done"; index: number }
  | { type: "decision"; accepted: true }
  | { type: "decision"; accepted: false; reason: string; attempts_left: number }
  | { type: "busy"; retry_after_s: number }
  | { type: "error"; code: string };
