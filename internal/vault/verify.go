package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/pii"
)

// maxPresentation bounds what Verify looks at, in bytes.
const maxPresentation = 64 << 10

// Disclosed is what a person handed on, checked. It does not print.
type Disclosed struct {
	// Level of the proofing behind the claims.
	Level  Level
	values map[string]any
}

// Names returns the names disclosed, sorted.
func (d Disclosed) Names() []string { return slices.Sorted(maps.Keys(d.values)) }

// Reveal returns the values by name: string, []string (nationalities) or true
// (age_over_18).
func (d Disclosed) Reveal() map[string]any { return maps.Clone(d.values) }

// Format implements fmt.Formatter for every verb as pii.Redacted.
func (d Disclosed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, pii.Redacted) }

// MarshalText implements encoding.TextMarshaler (and so JSON) as pii.Redacted.
func (d Disclosed) MarshalText() ([]byte, error) { return []byte(pii.Redacted), nil }

// Verify checks a presentation, jwt~disclosure~...~: signed by this server, of
// this account, in time, every disclosure among the signed digests and its name
// among those allowed. Errors: ErrMalformed, ErrSignature, ErrNotTheirs,
// ErrExpired, ErrNotSigned, ErrNotAllowed.
func (v *Vault) Verify(presentation, account string, allowed []string) (Disclosed, error) {
	if len(presentation) > maxPresentation {
		return Disclosed{}, fmt.Errorf("%w: too long", ErrMalformed)
	}
	// RFC 9901 §4: without a key binding JWT the last character is a tilde.
	parts := strings.Split(presentation, "~")
	last := len(parts) - 1
	if last < 1 || parts[last] != "" || last-1 > len(Names()) {
		return Disclosed{}, fmt.Errorf("%w: not jwt~disclosure~", ErrMalformed)
	}
	p, err := v.verifyToken(parts[0])
	if err != nil {
		return Disclosed{}, err
	}
	if account == "" || p.Subject != account {
		return Disclosed{}, ErrNotTheirs
	}
	if err := v.checkTime(p); err != nil {
		return Disclosed{}, err
	}
	out := Disclosed{Level: p.Level, values: map[string]any{}}
	for _, encoded := range parts[1:last] {
		name, value, err := p.check(encoded)
		if err != nil {
			return Disclosed{}, err
		}
		if _, twice := out.values[name]; twice {
			return Disclosed{}, fmt.Errorf("%w: an attribute twice", ErrMalformed)
		}
		if !slices.Contains(allowed, name) {
			return Disclosed{}, ErrNotAllowed
		}
		out.values[name] = value
	}
	return out, nil
}

// verifyToken checks signature, type and issuer.
func (v *Vault) verifyToken(token string) (payload, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return payload{}, fmt.Errorf("%w: not a signed token", ErrMalformed)
	}
	header := signed.Signatures[0].Protected
	key, known := v.keys[header.KeyID]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != tokenType || !known {
		return payload{}, fmt.Errorf("%w: another type or key", ErrSignature)
	}
	raw, err := signed.Verify(key)
	if err != nil {
		return payload{}, ErrSignature
	}
	var p payload
	if err := strictJSON(raw, &p); err != nil {
		return payload{}, fmt.Errorf("%w: payload", ErrMalformed)
	}
	if p.Issuer != v.issuer || p.Type != vct || p.Alg != "sha-256" || !p.Level.Valid() {
		return payload{}, fmt.Errorf("%w: another issuer or type", ErrSignature)
	}
	return p, nil
}

// checkTime allows a day for clocks that differ, since times are whole days.
func (v *Vault) checkTime(p payload) error {
	now := v.now()
	if time.Unix(p.IssuedAt, 0).After(now.Add(24*time.Hour)) || (p.Expires != 0 && !now.Before(time.Unix(p.Expires, 0))) {
		return ErrExpired
	}
	return nil
}

// check decodes one disclosure and finds its digest (RFC 9901 §7.1).
func (p payload) check(encoded string) (name string, value any, err error) {
	if !slices.Contains(p.Digests, digest(encoded)) {
		return "", nil, ErrNotSigned
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", nil, fmt.Errorf("%w: disclosure", ErrMalformed)
	}
	defer pii.Wipe(raw)
	var parts []any
	if err := strictJSON(raw, &parts); err != nil || len(parts) != 3 {
		return "", nil, fmt.Errorf("%w: disclosure", ErrMalformed)
	}
	name, ok := parts[1].(string)
	if !ok || !slices.Contains(Names(), name) {
		return "", nil, fmt.Errorf("%w: unknown attribute", ErrMalformed)
	}
	value, ok = typed(name, parts[2])
	if !ok {
		return "", nil, fmt.Errorf("%w: value of %s", ErrMalformed, name)
	}
	return name, value, nil
}

// typed gives a value the Go type of its attribute.
func typed(name string, value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, name == "age_over_18" && v
	case string:
		return v, name != "age_over_18" && name != "nationalities"
	case []any:
		out := make([]string, 0, len(v))
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			out = append(out, text)
		}
		return out, name == "nationalities"
	default:
		return nil, false
	}
}

// strictJSON decodes exactly one value, without unknown members.
func strictJSON(raw []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
