/**
 * Passkeys (WebAuthn Level 3) with the PRF extension. What the PRF yields never
 * leaves this file's callers in the browser: it is taken out of every answer that
 * goes to the server.
 */
import { Problem } from "../api";
import type { AuthenticationJSON, CreationOptionsJSON, CredentialDescriptorJSON, RegistrationJSON, RequestOptionsJSON } from "../types";
import { fromBase64url, random, sha256, toBase64url, utf8, type Bytes } from "./bytes";
import { prfLabel } from "./wrap";

export interface NewPasskey {
  credential: RegistrationJSON;
  prf: Bytes;
}

export interface UsedPasskey {
  credential: AuthenticationJSON;
  /** null when this authenticator has no PRF. */
  prf: Bytes | null;
}

const descriptors = (list: CredentialDescriptorJSON[] | undefined): PublicKeyCredentialDescriptor[] =>
  (list ?? []).map((d) => ({ type: d.type, id: fromBase64url(d.id), transports: (d.transports ?? []) as AuthenticatorTransport[] }));

async function prfInput(): Promise<AuthenticationExtensionsClientInputs> {
  return { prf: { eval: { first: await sha256(utf8(prfLabel)) } } };
}

function prfOutput(credential: PublicKeyCredential): { enabled: boolean; first: Bytes | null } {
  const prf = credential.getClientExtensionResults().prf;
  const first = prf?.results?.first;
  if (first === undefined) return { enabled: prf?.enabled === true, first: null };
  const bytes = ArrayBuffer.isView(first) ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength) : new Uint8Array(first);
  return { enabled: true, first: new Uint8Array(bytes) };
}

/** Extension results for the server: whether there is a PRF, never what it yielded. */
export function publicExtensions(results: AuthenticationExtensionsClientOutputs): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (results.credProps !== undefined) out["credProps"] = { rk: results.credProps.rk };
  if (results.prf?.enabled !== undefined) out["prf"] = { enabled: results.prf.enabled };
  return out;
}

function common(credential: PublicKeyCredential) {
  return {
    id: credential.id,
    rawId: toBase64url(new Uint8Array(credential.rawId)),
    type: "public-key" as const,
    ...(credential.authenticatorAttachment === null ? {} : { authenticatorAttachment: credential.authenticatorAttachment }),
    clientExtensionResults: publicExtensions(credential.getClientExtensionResults()),
  };
}

/** Names what the browser threw (WebAuthn Level 3 §5.1.3, §5.1.4). */
export function passkeyProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const name = thrown instanceof DOMException || thrown instanceof Error ? thrown.name : "";
  switch (name) {
    case "NotAllowedError":
    case "AbortError":
      return new Problem("passkey_cancelled");
    case "InvalidStateError":
      return new Problem("passkey_exists");
    case "NotSupportedError":
    case "SecurityError":
      return new Problem("passkey_unsupported");
    default:
      return new Problem("unknown");
  }
}

function assertSupported(): void {
  if (!("PublicKeyCredential" in window) || !("credentials" in navigator)) throw new Problem("passkey_unsupported");
}

async function ask(action: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  assertSupported();
  let credential: Credential | null;
  try {
    credential = await action();
  } catch (thrown) {
    throw passkeyProblem(thrown);
  }
  if (!(credential instanceof PublicKeyCredential)) throw new Problem("passkey_cancelled");
  return credential;
}

async function create(options: CreationOptionsJSON, extensions: AuthenticationExtensionsClientInputs): Promise<{ created: PublicKeyCredential; credential: RegistrationJSON }> {
  const publicKey: PublicKeyCredentialCreationOptions = {
    rp: options.rp,
    user: { ...options.user, id: fromBase64url(options.user.id) },
    challenge: fromBase64url(options.challenge),
    pubKeyCredParams: options.pubKeyCredParams,
    excludeCredentials: descriptors(options.excludeCredentials),
    extensions: { ...extensions, credProps: true },
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.authenticatorSelection === undefined ? {} : { authenticatorSelection: options.authenticatorSelection }),
    ...(options.attestation === undefined ? {} : { attestation: options.attestation }),
  };
  const created = await ask(() => navigator.credentials.create({ publicKey }));
  if (!(created.response instanceof AuthenticatorAttestationResponse)) throw new Problem("passkey_unsupported");
  const response = {
    clientDataJSON: toBase64url(new Uint8Array(created.response.clientDataJSON)),
    attestationObject: toBase64url(new Uint8Array(created.response.attestationObject)),
    transports: created.response.getTransports(),
  };
  return { created, credential: { ...common(created), response } };
}

/**
 * Creates a passkey and evaluates its PRF, asking a second time (onSecond is told)
 * where the authenticator does not evaluate during creation. Rejects with
 * prf_unsupported when it has no PRF at all.
 */
export async function createPasskey(options: CreationOptionsJSON, onSecond: () => void): Promise<NewPasskey> {
  const { created, credential } = await create(options, await prfInput());
  const { enabled, first } = prfOutput(created);
  if (!enabled) throw new Problem("prf_unsupported");
  const prf = first ?? (await evaluate(created, options.rp.id, onSecond));
  return { credential, prf };
}

/** Creates a passkey that signs and opens nothing: an agent's. */
export async function createSigningPasskey(options: CreationOptionsJSON): Promise<RegistrationJSON> {
  return (await create(options, {})).credential;
}

/** Evaluates the PRF of a credential just created. The challenge is the page's own: nobody checks this answer. */
async function evaluate(created: PublicKeyCredential, rpId: string | undefined, onSecond: () => void): Promise<Bytes> {
  onSecond();
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge: random(32),
    allowCredentials: [{ type: "public-key", id: created.rawId }],
    userVerification: "required",
    extensions: await prfInput(),
    ...(rpId === undefined ? {} : { rpId }),
  };
  const { first } = prfOutput(await ask(() => navigator.credentials.get({ publicKey })));
  if (first === null) throw new Problem("prf_unsupported");
  return first;
}

async function get(options: RequestOptionsJSON, extensions: AuthenticationExtensionsClientInputs): Promise<{ used: PublicKeyCredential; credential: AuthenticationJSON }> {
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge: fromBase64url(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
    userVerification: options.userVerification ?? "required",
    extensions,
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.rpId === undefined ? {} : { rpId: options.rpId }),
  };
  const used = await ask(() => navigator.credentials.get({ publicKey }));
  if (!(used.response instanceof AuthenticatorAssertionResponse)) throw new Problem("passkey_unsupported");
  const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
  return {
    used,
    credential: {
      ...common(used),
      response: {
        clientDataJSON: toBase64url(new Uint8Array(clientDataJSON)),
        authenticatorData: toBase64url(new Uint8Array(authenticatorData)),
        signature: toBase64url(new Uint8Array(signature)),
        ...(userHandle === null ? {} : { userHandle: toBase64url(new Uint8Array(userHandle)) }),
      },
    },
  };
}

/** Uses a passkey to sign in; the answer for the server and the PRF output for the vault. */
export async function usePasskey(options: RequestOptionsJSON): Promise<UsedPasskey> {
  const { used, credential } = await get(options, await prfInput());
  return { credential, prf: prfOutput(used).first };
}

/** Signs what the challenge stands for, with an agent's passkey. */
export async function signWithPasskey(options: RequestOptionsJSON): Promise<AuthenticationJSON> {
  return (await get(options, {})).credential;
}
