/**
 * The person's opened vault: in the memory of this page, until it is locked or
 * closed. Making one, opening one, and giving it further ways in.
 */
import { api, Problem } from "../api";
import { fromUtf8, random, type Bytes } from "../crypto/bytes";
import { createPasskey, usePasskey as askPasskey } from "../crypto/passkey";
import { formatRecoveryCode, recoveryBytes } from "../crypto/recovery-code";
import { parseClaims, type Claims } from "../crypto/sdjwt";
import { recoveryAuth, unwrapWithPasskey, unwrapWithRecovery, wrapForPasskey, wrapForRecovery } from "../crypto/wrap";
import type { Account, CreationOptionsJSON, Level, Localised, View } from "../types";

// The key agreement is the heaviest code of the pages: fetched when first needed.
const hpke = () => import("../crypto/hpke");

/** One line of the journal, as the server sealed it to the person. */
export interface JournalEntry {
  at: string;
  service: Localised;
  level: Level | undefined;
  attributes: string[];
  /** Identifier of the service. */
  serviceID: string;
  /** Terms of a login whose answer the person had remembered, else empty. */
  remembered: string;
}

export interface OpenVault {
  account: Account;
  seed: Bytes;
  claims: Claims | null;
  journal: JournalEntry[];
  /** Sealed items that did not open. */
  unreadable: number;
}

const levels: Record<string, Level> = { eidas1: "low", eidas2: "substantial", eidas3: "high" };

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const membersOf = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});

/** A service's name as a line has it: in two languages, within an object, or as plain text. */
function nameOf(service: unknown): Localised {
  if (typeof service === "string") return { en: service, fr: service };
  const members = membersOf(service);
  return "name" in members ? nameOf(members["name"]) : { en: textOf(members["en"]), fr: textOf(members["fr"]) };
}

/** Reads a journal line; whatever it lacks is left empty, so that a line never hides the others. */
export function parseJournal(text: string): JournalEntry {
  const line = JSON.parse(text) as Record<string, unknown>;
  const attributes = line["attributes"];
  return {
    at: textOf(line["time"] ?? line["at"]),
    service: nameOf(line["service"]),
    level: levels[textOf(line["acr"])],
    attributes: Array.isArray(attributes) ? attributes.filter((a): a is string => typeof a === "string") : [],
    serviceID: textOf(line["service_id"]),
    remembered: line["remembered"] === true ? textOf(line["terms"]) : "",
  };
}

/**
 * The attributes that the person said once are to be sent whenever this service asks
 * on these terms. The last answer to the service counts, whatever its terms.
 */
export function rememberedAnswer(journal: JournalEntry[], serviceID: string, terms: string): string[] | null {
  const last = journal.find((entry) => entry.serviceID === serviceID);
  return last !== undefined && terms !== "" && last.remembered === terms ? last.attributes : null;
}

/** Opens every item of an account with the private key. */
export async function openVault(account: Account, seed: Bytes): Promise<OpenVault> {
  const { openItem } = await hpke();
  const vault: OpenVault = { account, seed, claims: null, journal: [], unreadable: 0 };
  for (const item of account.items) {
    try {
      const text = fromUtf8(await openItem(seed, item.kind, item.sealed));
      if (item.kind === "claims") vault.claims = await parseClaims(text);
      else vault.journal.push(parseJournal(text));
    } catch {
      vault.unreadable++;
    }
  }
  vault.journal.sort((a, b) => b.at.localeCompare(a.at));
  return vault;
}

async function opened(open: () => Promise<Bytes>): Promise<Bytes> {
  try {
    return await open();
  } catch {
    throw new Problem("vault_damaged");
  }
}

/** Signs in with a passkey and opens the vault with its PRF. */
export async function signInAndOpen(): Promise<OpenVault> {
  const used = await askPasskey(await api.sessionOptions());
  if (used.prf === null) throw new Problem("prf_unsupported");
  const prf = used.prf;
  await api.openSession(used.credential);
  const account = await api.account();
  const wrap = account.vault.wraps.find((w) => w.kind === "passkey" && w.credential_id === used.credential.id);
  if (wrap === undefined) throw new Problem("no_wrap");
  return openVault(account, await opened(() => unwrapWithPasskey(wrap, prf)));
}

/** Proves to the server that the passkey is at hand, without opening anything. */
export async function confirmWithPasskey(): Promise<void> {
  const used = await askPasskey(await api.sessionOptions());
  await api.openSession(used.credential);
}

/** Signs in with a recovery code and opens the vault with it. */
export async function recoverAndOpen(secret: Bytes): Promise<OpenVault> {
  await api.recover(await recoveryAuth(secret));
  const account = await api.account();
  const wrap = account.vault.wraps.find((w) => w.kind === "recovery");
  if (wrap === undefined) throw new Problem("recovery_refused");
  return openVault(account, await opened(() => unwrapWithRecovery(wrap, secret)));
}

/** Where the making of an account stands, for the page to say. */
export type Stage = "asking" | "second" | "sealing";

/** Creates the passkey, the key pair and the recovery code, and the account in one call. Returns the code's groups. */
export async function createAccount(passkeyName: string, onStage: (stage: Stage) => void): Promise<{ view: View; recoveryCode: string[] }> {
  onStage("asking");
  const loading = hpke();
  const passkey = await createPasskey(await api.accountOptions(), () => {
    onStage("second");
  });
  onStage("sealing");
  const { generateVaultKey, suiteName } = await loading;
  const key = await generateVaultKey();
  const secret = random(recoveryBytes);
  const view = await api.createAccount({
    credential: passkey.credential,
    passkey_name: passkeyName,
    vault: {
      suite: suiteName,
      public_key: key.publicKey,
      wraps: [await wrapForPasskey(key.seed, passkey.prf, passkey.credential.id)],
      recovery: await wrapForRecovery(key.seed, secret),
    },
  });
  key.seed.fill(0);
  return { view, recoveryCode: formatRecoveryCode(secret) };
}

/** Adds a passkey to an open vault. */
export async function addPasskey(vault: OpenVault, name: string, onStage: (stage: Stage) => void): Promise<void> {
  onStage("asking");
  const options: CreationOptionsJSON = await api.passkeyOptions();
  const passkey = await createPasskey(options, () => {
    onStage("second");
  });
  onStage("sealing");
  const wrap = await wrapForPasskey(vault.seed, passkey.prf, passkey.credential.id);
  await api.addPasskey({ credential: passkey.credential, wrap, passkey_name: name });
}

/** Replaces the recovery code of an open vault. Returns the new code's groups. */
export async function replaceRecoveryCode(vault: OpenVault): Promise<string[]> {
  const secret = random(recoveryBytes);
  await api.setRecovery(await wrapForRecovery(vault.seed, secret));
  return formatRecoveryCode(secret);
}
