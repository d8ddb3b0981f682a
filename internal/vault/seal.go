package vault

import (
	"bytes"
	"crypto/hpke"
	"fmt"

	"ipse/internal/pii"
)

// Suite names the only HPKE suite in use: KEM MLKEM768-X25519 (0x647a), KDF
// HKDF-SHA256 (0x0001), AEAD AES-256-GCM (0x0002). It is stored with each
// account, so that a later suite can stand beside it.
const Suite = "MLKEM768X25519-HKDF-SHA256-AES256GCM"

// Lengths in bytes of what the browser sends.
const (
	// PublicKeySize: ML-KEM-768 encapsulation key (1184) and X25519 key (32).
	PublicKeySize = 1216
	// EncapsulationSize of a sealed item: ML-KEM-768 ciphertext (1088) and X25519 share (32).
	EncapsulationSize = 1120
	// SeedSize of the private key, as the wraps hold it.
	SeedSize = 32
	// SaltSize of a wrap.
	SaltSize = 32
	// WrappedSize of a wrap: nonce, seed and tag of AES-256-GCM.
	WrappedSize = 12 + SeedSize + 16
	// AuthSize of a recovery code's authentication value.
	AuthSize = 32
	// MaxPlaintext that Seal accepts.
	MaxPlaintext = 64 << 10
)

// Kind of a sealed item. It is part of the encryption context (HPKE info), so
// that an item of one kind does not open as another.
type Kind string

// The kinds.
const (
	KindClaims  Kind = "claims"
	KindJournal Kind = "journal"
)

// Info returns the HPKE info of the kind.
func (k Kind) Info() []byte { return []byte("ipse/vault/item/v1/" + string(k)) }

// journalBlock is what journal entries are padded to a multiple of, with spaces,
// which JSON allows after its value (RFC 8259 §2): the length of an item does
// not tell which service it is about.
const journalBlock = 512

// CheckKey reports with ErrKey what is not a public key of the suite.
func (*Vault) CheckKey(suite string, publicKey []byte) error {
	_, err := parseKey(suite, publicKey)
	return err
}

// CheckWrap reports with ErrWrap what does not have the lengths of a wrap.
// Whether it opens is for the person's browser alone to find out.
func (*Vault) CheckWrap(salt, wrapped []byte) error {
	if len(salt) != SaltSize || len(wrapped) != WrappedSize {
		return fmt.Errorf("%w: %d and %d bytes", ErrWrap, len(salt), len(wrapped))
	}
	return nil
}

// Seal encrypts to a person's key: enc || ciphertext (RFC 9180 §6.1). The key is
// one that CheckKey accepted; ErrKey otherwise. A journal entry must be JSON: it
// is padded. Randomness is that of crypto/rand, which crypto/hpke does not let one choose.
func (*Vault) Seal(suite string, publicKey []byte, kind Kind, plain pii.Bytes) ([]byte, error) {
	if kind != KindClaims && kind != KindJournal {
		return nil, fmt.Errorf("vault: seal: unknown kind %q", string(kind))
	}
	if plain.Len() == 0 || plain.Len() > MaxPlaintext {
		return nil, fmt.Errorf("vault: seal: %d bytes, at least 1 and at most %d", plain.Len(), MaxPlaintext)
	}
	key, err := parseKey(suite, publicKey)
	if err != nil {
		return nil, err
	}
	text := plain.Reveal()
	if kind == KindJournal {
		text = append(bytes.Clone(text), bytes.Repeat([]byte(" "), (journalBlock-len(text)%journalBlock)%journalBlock)...)
		defer pii.Wipe(text)
	}
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), kind.Info(), text)
	if err != nil {
		// The one failure left is an X25519 share of low order (RFC 9180 §7.1.4).
		return nil, fmt.Errorf("%w: does not encapsulate", ErrKey)
	}
	return sealed, nil
}

func parseKey(suite string, publicKey []byte) (hpke.PublicKey, error) {
	if suite != Suite {
		return nil, fmt.Errorf("%w: unknown suite", ErrKey)
	}
	if len(publicKey) != PublicKeySize {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrKey, len(publicKey), PublicKeySize)
	}
	key, err := hpke.MLKEM768X25519().NewPublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: not on its scheme", ErrKey)
	}
	return key, nil
}
