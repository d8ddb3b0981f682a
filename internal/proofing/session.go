package proofing

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"ipse/internal/consent"
)

// Session is what is persisted. Nothing in it names a person: Sealed opens
// only with the token, of which TokenHash is the SHA-256.
type Session struct {
	// ID is random; receipts name it. It is no secret and opens nothing.
	ID string
	// TokenHash is the SHA-256 of the 32 random bytes in the person's cookie.
	TokenHash [32]byte
	// Language of the session.
	Language consent.Language
	// Position in the state machine.
	Position Position
	// Receipt is the signed consent until acceptance; then it is in Sealed.
	Receipt string
	// Sealed holds the accepted attributes and the receipt, encrypted.
	Sealed []byte
	// Created is when the session began.
	Created time.Time
	// Version grows with every write, from 1.
	Version int64
}

// tokenBytes is the length of a session token before encoding.
const tokenBytes = 32

func newToken(rand io.Reader) (token string, hash [32]byte, err error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return "", hash, fmt.Errorf("draw session token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), sha256.Sum256(raw), nil
}

// parseToken returns the token's bytes and their SHA-256, or ErrNoSession.
func parseToken(token string) (raw []byte, hash [32]byte, err error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return nil, hash, ErrNoSession
	}
	raw, err = base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, hash, ErrNoSession
	}
	return raw, sha256.Sum256(raw), nil
}

func randomID(rand io.Reader) (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(rand, raw); err != nil {
		return "", fmt.Errorf("draw identifier: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
