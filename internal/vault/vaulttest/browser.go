// Package vaulttest plays the person's browser for tests: it makes the key pair,
// wraps it for each way in and opens sealed items. Nothing of the product
// imports it: the server has no code that opens a vault.
package vaulttest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"ipse/internal/vault"
)

// crockford is the alphabet of recovery codes: no I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Key is a person's key pair.
type Key struct {
	Seed   []byte // 32 bytes, the private key's serialisation
	Public []byte // 1216 bytes
}

// NewKey makes the key pair of a seed drawn from rand.
func NewKey(rand io.Reader) (*Key, error) {
	seed := make([]byte, vault.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	return KeyOfSeed(seed)
}

// KeyOfSeed makes the key pair of a seed.
func KeyOfSeed(seed []byte) (*Key, error) {
	private, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("make the key: %w", err)
	}
	return &Key{Seed: seed, Public: private.PublicKey().Bytes()}, nil
}

// Open opens a sealed item, enc || ciphertext.
func (k *Key) Open(kind vault.Kind, sealed []byte) ([]byte, error) {
	private, err := hpke.MLKEM768X25519().NewPrivateKey(k.Seed)
	if err != nil {
		return nil, fmt.Errorf("make the key: %w", err)
	}
	return hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), kind.Info(), sealed)
}

// PRFInput is what every credential's PRF is evaluated on.
func PRFInput() []byte {
	sum := sha256.Sum256([]byte("ipse/vault/prf/v1"))
	return sum[:]
}

// WrapForPasskey wraps the seed under a PRF output. salt has 32 bytes, nonce 12.
func (k *Key) WrapForPasskey(prf, salt, nonce, credentialID []byte) ([]byte, error) {
	return wrap(k.Seed, prf, salt, nonce, "ipse/vault/wrap/passkey/v1", passkeyAAD(credentialID))
}

// UnwrapWithPasskey opens such a wrap.
func UnwrapWithPasskey(prf, salt, wrapped, credentialID []byte) (*Key, error) {
	return unwrap(prf, salt, wrapped, "ipse/vault/wrap/passkey/v1", passkeyAAD(credentialID))
}

// WrapForRecovery wraps the seed under the 20 bytes of a recovery code.
func (k *Key) WrapForRecovery(secret, salt, nonce []byte) ([]byte, error) {
	return wrap(k.Seed, secret, salt, nonce, "ipse/vault/wrap/recovery/v1", "recovery")
}

// UnwrapWithRecovery opens such a wrap.
func UnwrapWithRecovery(secret, salt, wrapped []byte) (*Key, error) {
	return unwrap(secret, salt, wrapped, "ipse/vault/wrap/recovery/v1", "recovery")
}

// RecoveryAuth is the authentication value of a recovery code's 20 bytes.
func RecoveryAuth(secret []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "ipse/recovery/auth/v1", vault.AuthSize)
}

// RecoveryCode writes 20 bytes as eight groups of four characters.
func RecoveryCode(secret []byte) string {
	var text []byte
	acc, bits := uint(0), 0
	for _, b := range secret {
		acc, bits = acc<<8|uint(b), bits+8
		for bits >= 5 {
			bits -= 5
			if len(text)%5 == 4 {
				text = append(text, '-')
			}
			text = append(text, crockford[acc>>bits&31])
		}
	}
	return string(text)
}

func passkeyAAD(credentialID []byte) string {
	return "credential:" + base64.RawURLEncoding.EncodeToString(credentialID)
}

func aead(secret, salt []byte, info string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, salt, info, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func wrap(seed, secret, salt, nonce []byte, info, aad string) ([]byte, error) {
	box, err := aead(secret, salt, info)
	if err != nil {
		return nil, fmt.Errorf("wrap: %w", err)
	}
	if len(nonce) != box.NonceSize() {
		return nil, errors.New("wrap: nonce of another length")
	}
	return append(append([]byte{}, nonce...), box.Seal(nil, nonce, seed, []byte(aad))...), nil
}

func unwrap(secret, salt, wrapped []byte, info, aad string) (*Key, error) {
	box, err := aead(secret, salt, info)
	if err != nil || len(wrapped) < 12 {
		return nil, errors.Join(errors.New("unwrap"), err)
	}
	seed, err := box.Open(nil, wrapped[:12], wrapped[12:], []byte(aad))
	if err != nil {
		return nil, errors.New("unwrap: does not open")
	}
	return KeyOfSeed(seed)
}
