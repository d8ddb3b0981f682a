/**
 * The person's key pair and what is sealed to it: HPKE (RFC 9180) in base mode with
 * the hybrid KEM MLKEM768-X25519 (0x647a), HKDF-SHA256 and AES-256-GCM. Loaded only
 * where a vault is made or opened.
 */
import { KEM_MLKEM768_X25519 } from "@panva/hpke-noble";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256 } from "hpke";
import { fromBase64url, toBase64url, utf8, type Bytes } from "./bytes.ts";

/** The suite's name as stored with a vault. */
export const suiteName = "MLKEM768X25519-HKDF-SHA256-AES256GCM";

/** Length of the encapsulated key: ML-KEM-768 ciphertext (1088) and X25519 share (32). */
export const encapsulatedLength = 1120;

export type ItemKind = "claims" | "journal";

const suite = () => new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const info = (kind: ItemKind): Bytes => utf8(`ipse/vault/item/v1/${kind}`);

export interface VaultKey {
  /** The private key as its 32-byte seed. */
  seed: Bytes;
  /** base64url of the serialised public key (1216 bytes). */
  publicKey: string;
}

/** Makes a fresh key pair. */
export async function generateVaultKey(): Promise<VaultKey> {
  const hpke = suite();
  const pair = await hpke.GenerateKeyPair(true);
  return {
    seed: new Uint8Array(await hpke.SerializePrivateKey(pair.privateKey)),
    publicKey: toBase64url(await hpke.SerializePublicKey(pair.publicKey)),
  };
}

/** Opens base64url(enc || ciphertext); rejects when it was sealed to another key or for another kind. */
export async function openItem(seed: Bytes, kind: ItemKind, sealed: string): Promise<Bytes> {
  const hpke = suite();
  const bytes = fromBase64url(sealed);
  const key = await hpke.DeserializePrivateKey(seed);
  const plain = await hpke.Open(key, bytes.subarray(0, encapsulatedLength), bytes.subarray(encapsulatedLength), { info: info(kind) });
  return new Uint8Array(plain);
}

/** Seals to a public key. The pages only open; this serves tests and the stand-in server. */
export async function sealItem(publicKey: string, kind: ItemKind, plain: Bytes): Promise<string> {
  const hpke = suite();
  const key = await hpke.DeserializePublicKey(fromBase64url(publicKey));
  const { encapsulatedSecret, ciphertext } = await hpke.Seal(key, plain, { info: info(kind) });
  const out = new Uint8Array(encapsulatedSecret.length + ciphertext.length);
  out.set(encapsulatedSecret);
  out.set(ciphertext, encapsulatedSecret.length);
  return toBase64url(out);
}
