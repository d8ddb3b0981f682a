package vault

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// tokenLength is the length of the signed part: constant for an account and level.
func (v *Vault) tokenLength(account string, level Level) int {
	token, err := v.signDigests(account, level, v.now().UTC(), nil)
	if err != nil {
		return 0 // the real signing reports it
	}
	return len(token)
}

// pad encodes the disclosures so that, after a signed part of the given length,
// the combined form has a length that is a multiple of combinedBlock. A salt may
// be of any length from 128 bits up (RFC 9901 §9.3): the last one grows, and the
// one before it by up to three characters, since base64url reaches three lengths of four.
func (v *Vault) pad(list []disclosure, token int) ([]string, error) {
	grow := slices.Clone(list)
	for extra := range 4 {
		if extra > 0 && len(list) > 1 {
			grow[len(grow)-2].salt = list[len(list)-2].salt + strings.Repeat("A", extra)
		}
		encoded, err := plainly(grow)
		if err != nil {
			return nil, err
		}
		total := token + 1
		for _, d := range encoded {
			total += len(d) + 1
		}
		last := len(grow) - 1
		missing := (combinedBlock - total%combinedBlock) % combinedBlock
		filled, ok, err := v.lengthen(grow[last], len(encoded[last])+missing)
		if err != nil {
			return nil, err
		}
		if ok {
			encoded[last] = filled
			return encoded, nil
		}
	}
	// Only a single disclosure can end here: a shape no document has. It stays unpadded.
	return plainly(list)
}

// plainly encodes the disclosures as they are.
func plainly(list []disclosure) ([]string, error) {
	encoded := make([]string, len(list))
	for i, d := range list {
		var err error
		if encoded[i], err = d.encode(); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

// lengthen grows the salt of d until its encoding has the length wanted; ok is
// false when base64url has no encoding of that length.
func (v *Vault) lengthen(d disclosure, want int) (encoded string, ok bool, err error) {
	raw, err := json.Marshal([]any{d.salt, d.name, d.value})
	if err != nil {
		return "", false, fmt.Errorf("vault: encode a disclosure: %w", err)
	}
	size := base64.RawURLEncoding.DecodedLen(want)
	if base64.RawURLEncoding.EncodedLen(size) != want || size < len(raw) {
		return "", false, nil
	}
	more, err := v.random(size - len(raw)) // at least as many characters as bytes
	if err != nil {
		return "", false, err
	}
	d.salt += more[:size-len(raw)]
	encoded, err = d.encode()
	return encoded, len(encoded) == want, err
}
