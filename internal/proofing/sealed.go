package proofing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"ipse/internal/pii"
)

// sealInfo binds derived keys to this use (RFC 5869 §3.2).
const sealInfo = "ipse/proofing/accepted/v1"

// sealBlock is what sealed content is padded to a multiple of, so that its
// length tells neither the route nor the length of a name.
const sealBlock = 4096

// sealKey derives the session's key: HKDF-SHA256 of the token, salted with the
// session's identifier. The token itself is not stored anywhere.
func sealKey(token []byte, sessionID string) (pii.Bytes, error) {
	key, err := hkdf.Key(sha256.New, token, []byte(sessionID), sealInfo, 32)
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("derive session key: %w", err)
	}
	return pii.NewBytes(key), nil
}

// seal encrypts with AES-256-GCM: nonce || ciphertext over length || plain || zeros.
func seal(rand io.Reader, key pii.Bytes, sessionID string, plain pii.Bytes) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	size := (4 + plain.Len() + sealBlock - 1) / sealBlock * sealBlock
	padded := make([]byte, size)
	defer pii.Wipe(padded)
	binary.BigEndian.PutUint32(padded, uint32(plain.Len())) // bounded by the attributes of one document
	copy(padded[4:], plain.Reveal())
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+size+aead.Overhead())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, padded, []byte(sessionID)), nil
}

// open reverses seal; any mismatch is ErrInternal, since the row was found by
// the same token that must open it.
func open(key pii.Bytes, sessionID string, sealed []byte) (pii.Bytes, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return pii.Bytes{}, err
	}
	if len(sealed) < aead.NonceSize() {
		return pii.Bytes{}, fmt.Errorf("%w: sealed attributes cut short", ErrInternal)
	}
	padded, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(sessionID))
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("%w: sealed attributes do not open", ErrInternal)
	}
	if len(padded) < 4 || uint64(binary.BigEndian.Uint32(padded)) > uint64(len(padded)-4) {
		pii.Wipe(padded)
		return pii.Bytes{}, fmt.Errorf("%w: sealed attributes malformed", ErrInternal)
	}
	return pii.NewBytes(padded[4 : 4+binary.BigEndian.Uint32(padded)]), nil
}

func newAEAD(key pii.Bytes) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("prepare session cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("prepare session cipher: %w", err)
	}
	return aead, nil
}
