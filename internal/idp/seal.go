package idp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// kind separates the records of this package in the store and in the key
// derivation, so that no record can be passed off as another.
type kind string

const (
	kindLogin kind = "login" // an authorization request waiting for the person
	kindPAR   kind = "par"   // a pushed authorization request
	kindCode  kind = "code"  // a grant waiting for its code
	kindToken kind = "token" // a grant behind an access token
	kindJTI   kind = "jti"   // a proof or assertion already used
	kindNote  kind = "note"  // a login whose level was too low
)

// lookup is what the store knows of a secret: a hash, of no use in opening
// anything.
func (k kind) lookup(secret string) []byte {
	sum := sha256.Sum256([]byte("ipse/idp/" + string(k) + "/lookup/v1\x00" + secret))
	return sum[:]
}

// seal encrypts v under a key derived from secret, which only the browser or
// the service holds: AES-256-GCM, key = HKDF-SHA-256(secret), the lookup value
// as additional data. The server keeps no key that opens it.
func (k kind) seal(secret string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s record: %w", k, err)
	}
	defer clear(plain)
	aead, err := k.cipher(secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand, Go 1.24)
	return aead.Seal(nonce, nonce, plain, k.lookup(secret)), nil
}

// open is the inverse of seal.
func (k kind) open(secret string, sealed []byte, v any) error {
	aead, err := k.cipher(secret)
	if err != nil {
		return err
	}
	if len(sealed) < aead.NonceSize() {
		return fmt.Errorf("%s record is cut", k)
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], k.lookup(secret))
	if err != nil {
		return fmt.Errorf("%s record does not open", k)
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("%s record does not decode", k)
	}
	return nil
}

func (k kind) cipher(secret string) (cipher.AEAD, error) {
	if secret == "" {
		return nil, errors.New("empty secret")
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "ipse/idp/"+string(k)+"/seal/v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive %s key: %w", k, err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%s cipher: %w", k, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%s cipher: %w", k, err)
	}
	return aead, nil
}

// secret returns 256 random bits as base64url. If the injected source fails,
// the operating system's is used: a short read must never make a weak secret.
func newSecret(random io.Reader) string {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		rand.Read(b[:])
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}
