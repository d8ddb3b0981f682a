// Package authtest is a software authenticator with its browser, for tests: it
// answers the options of WebAuthn ceremonies as a platform passkey provider
// with the PRF extension does (WebAuthn Level 3, CTAP 2.2 hmac-secret), ES256
// alone. Faults make it answer wrongly on purpose.
package authtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Faults are departures from what a good authenticator and browser do.
type Faults struct {
	NoUserPresence     bool   // flag UP clear
	NoUserVerification bool   // flag UV clear
	NoPRF              bool   // the authenticator has no PRF
	SendPRF            bool   // the page sends the PRF's output to the server
	NotDiscoverable    bool   // credProps says so
	Origin             string // another origin in the client data
	RPID               string // another relying party in the authenticator data
	Type               string // another ceremony type in the client data
	Challenge          string // another challenge
	BadSignature       bool   // one bit of the signature flipped
	OtherHandle        bool   // another user handle
	FlipBackup         bool   // backup eligibility changes after creation
	Extra              string // an extension output that was not asked for
}

// Authenticator holds passkeys. It is not safe for concurrent use.
type Authenticator struct {
	// Origin of the page that uses it.
	Origin string
	// Rand is where keys and identifiers come from.
	Rand io.Reader
	// Counter, if set, is a signature counter that grows with each use; passkeys
	// that are synced have none.
	Counter bool
	// Synced sets the backup flags.
	Synced bool
	Faults Faults

	passkeys []*passkey
}

type passkey struct {
	id, handle, prf []byte
	rpID            string
	key             *ecdsa.PrivateKey
	count           uint32
}

// Answer is what the page gets from the browser.
type Answer struct {
	// JSON is the RegistrationResponseJSON or AuthenticationResponseJSON to send.
	JSON []byte
	// CredentialID of the passkey made or used.
	CredentialID []byte
	// PRF output, which stays in the page; nil if there is none.
	PRF []byte
}

type b64 []byte

// UnmarshalText implements encoding.TextUnmarshaler for base64url without padding.
func (b *b64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (b b64) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}

type prfExtension struct {
	PRF *struct {
		Eval struct {
			First b64 `json:"first"`
		} `json:"eval"`
	} `json:"prf"`
}

type descriptor struct {
	ID b64 `json:"id"`
}

type creationOptions struct {
	PublicKey struct {
		RP struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID b64 `json:"id"`
		} `json:"user"`
		Challenge string       `json:"challenge"`
		Exclude   []descriptor `json:"excludeCredentials"`
		Params    []struct {
			Alg int `json:"alg"`
		} `json:"pubKeyCredParams"`
		Extensions prfExtension `json:"extensions"`
	} `json:"publicKey"`
}

type requestOptions struct {
	PublicKey struct {
		RPID       string       `json:"rpId"`
		Challenge  string       `json:"challenge"`
		Allow      []descriptor `json:"allowCredentials"`
		Extensions prfExtension `json:"extensions"`
	} `json:"publicKey"`
}

// response is the JSON form of both kinds of answers.
type response struct {
	ID         b64            `json:"id"`
	RawID      b64            `json:"rawId"`
	Type       string         `json:"type"`
	Attachment string         `json:"authenticatorAttachment"`
	Extensions map[string]any `json:"clientExtensionResults"`
	Response   struct {
		ClientData        b64      `json:"clientDataJSON"`
		AttestationObject b64      `json:"attestationObject,omitempty"`
		Transports        []string `json:"transports,omitempty"`
		AuthData          b64      `json:"authenticatorData,omitempty"`
		Signature         b64      `json:"signature,omitempty"`
		UserHandle        b64      `json:"userHandle,omitempty"`
	} `json:"response"`
}

// ErrExcluded is the InvalidStateError of a browser whose authenticator holds an
// excluded credential.
var ErrExcluded = errors.New("authtest: a passkey of this account is here already")

// ErrNoPasskey is the NotAllowedError of a browser without a passkey for the site.
var ErrNoPasskey = errors.New("authtest: no passkey for this site")

// Create answers {"publicKey": PublicKeyCredentialCreationOptionsJSON}.
func (a *Authenticator) Create(options []byte) (Answer, error) {
	var o creationOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return Answer{}, fmt.Errorf("authtest: creation options: %w", err)
	}
	if !slices.ContainsFunc(o.PublicKey.Params, func(p struct {
		Alg int `json:"alg"`
	}) bool {
		return p.Alg == -7
	}) {
		return Answer{}, errors.New("authtest: ES256 not offered")
	}
	for _, excluded := range o.PublicKey.Exclude {
		if a.find(o.PublicKey.RP.ID, excluded.ID) != nil {
			return Answer{}, ErrExcluded
		}
	}
	p := &passkey{id: make([]byte, 32), prf: make([]byte, 32), handle: o.PublicKey.User.ID, rpID: o.PublicKey.RP.ID}
	for _, buf := range [][]byte{p.id, p.prf} {
		if _, err := io.ReadFull(a.Rand, buf); err != nil {
			return Answer{}, fmt.Errorf("authtest: draw: %w", err)
		}
	}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), a.Rand); err != nil {
		return Answer{}, fmt.Errorf("authtest: make a key: %w", err)
	}
	public, err := p.key.PublicKey.Bytes()
	if err != nil {
		return Answer{}, fmt.Errorf("authtest: encode the key: %w", err)
	}
	a.passkeys = append(a.passkeys, p)

	var r response
	r.Response.ClientData = a.clientData("webauthn.create", o.PublicKey.Challenge)
	r.Response.AttestationObject = attestationObject(a.authData(p, 0x40, append(attested(p.id), coseKey(public)...)))
	r.Response.Transports = []string{"internal", "hybrid"}
	r.Extensions = map[string]any{"credProps": map[string]any{"rk": !a.Faults.NotDiscoverable}}
	if o.PublicKey.Extensions.PRF != nil {
		r.Extensions["prf"] = map[string]any{"enabled": !a.Faults.NoPRF}
	}
	return a.answer(p, r, o.PublicKey.Extensions)
}

// Get answers {"publicKey": PublicKeyCredentialRequestOptionsJSON} with the
// passkey made last for the site, or one of those allowed.
func (a *Authenticator) Get(options []byte) (Answer, error) {
	var o requestOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return Answer{}, fmt.Errorf("authtest: request options: %w", err)
	}
	p := a.choose(o)
	if p == nil {
		return Answer{}, ErrNoPasskey
	}
	if a.Counter {
		p.count++
	}
	var r response
	r.Response.ClientData = a.clientData("webauthn.get", o.PublicKey.Challenge)
	r.Response.AuthData = a.authData(p, 0, nil)
	r.Response.UserHandle = p.handle
	if a.Faults.OtherHandle {
		r.Response.UserHandle = slices.Repeat([]byte{1}, len(p.handle))
	}
	clientHash := sha256.Sum256(r.Response.ClientData)
	digest := sha256.Sum256(append(slices.Clone(r.Response.AuthData), clientHash[:]...))
	signature, err := ecdsa.SignASN1(a.Rand, p.key, digest[:])
	if err != nil {
		return Answer{}, fmt.Errorf("authtest: sign: %w", err)
	}
	if a.Faults.BadSignature {
		signature[len(signature)-1] ^= 1
	}
	r.Response.Signature = signature
	r.Extensions = map[string]any{}
	return a.answer(p, r, o.PublicKey.Extensions)
}

// Rewind sets back the counter of every passkey, as a copy made earlier would have it.
func (a *Authenticator) Rewind() {
	for _, p := range a.passkeys {
		p.count = 0
	}
}

// LastID is the identifier of the passkey made last, or nil.
func (a *Authenticator) LastID() []byte {
	if len(a.passkeys) == 0 {
		return nil
	}
	return a.passkeys[len(a.passkeys)-1].id
}

func (a *Authenticator) find(rpID string, id []byte) *passkey {
	for _, p := range a.passkeys {
		if p.rpID == rpID && slices.Equal(p.id, id) {
			return p
		}
	}
	return nil
}

func (a *Authenticator) choose(o requestOptions) *passkey {
	for _, allowed := range o.PublicKey.Allow {
		if p := a.find(o.PublicKey.RPID, allowed.ID); p != nil {
			return p
		}
	}
	if len(o.PublicKey.Allow) > 0 {
		return nil
	}
	for _, p := range slices.Backward(a.passkeys) {
		if p.rpID == o.PublicKey.RPID {
			return p
		}
	}
	return nil
}

// answer adds identifiers and extension results, and evaluates the PRF:
// HMAC-SHA-256 of SHA-256("WebAuthn PRF" || 0 || input) (WebAuthn Level 3 §10.1.4).
func (a *Authenticator) answer(p *passkey, r response, ext prfExtension) (Answer, error) {
	r.ID, r.RawID, r.Type, r.Attachment = p.id, p.id, "public-key", "platform"
	out := Answer{CredentialID: p.id}
	if ext.PRF != nil && !a.Faults.NoPRF {
		salt := sha256.Sum256(append([]byte("WebAuthn PRF\x00"), ext.PRF.Eval.First...))
		mac := hmac.New(sha256.New, p.prf)
		mac.Write(salt[:])
		out.PRF = mac.Sum(nil)
	}
	if a.Faults.SendPRF {
		r.Extensions["prf"] = map[string]any{"enabled": true, "results": map[string]any{"first": b64(out.PRF)}}
	}
	if a.Faults.Extra != "" {
		r.Extensions[a.Faults.Extra] = true
	}
	var err error
	if out.JSON, err = json.Marshal(r); err != nil {
		return Answer{}, fmt.Errorf("authtest: encode: %w", err)
	}
	return out, nil
}

// clientData per WebAuthn Level 3 §5.8.1.1.
func (a *Authenticator) clientData(kind, challenge string) []byte {
	origin := a.Origin
	for value, fault := range map[*string]string{&kind: a.Faults.Type, &challenge: a.Faults.Challenge, &origin: a.Faults.Origin} {
		if fault != "" {
			*value = fault
		}
	}
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, origin)
}

// authData per WebAuthn Level 3 §6.1.
func (a *Authenticator) authData(p *passkey, flags byte, attested []byte) []byte {
	rpID := p.rpID
	if a.Faults.RPID != "" {
		rpID = a.Faults.RPID
	}
	if !a.Faults.NoUserPresence {
		flags |= 0x01
	}
	if !a.Faults.NoUserVerification {
		flags |= 0x04
	}
	if a.Synced != a.Faults.FlipBackup {
		flags |= 0x08 | 0x10
	}
	hash := sha256.Sum256([]byte(rpID))
	out := append(hash[:], flags)
	return append(binary.BigEndian.AppendUint32(out, p.count), attested...)
}

// attested is the attested credential data up to the key (§6.5.1): AAGUID of
// zeros, as with attestation none, and the identifier.
func attested(id []byte) []byte {
	out := make([]byte, 16, 16+2+len(id))
	out = binary.BigEndian.AppendUint16(out, uint16(len(id)))
	return append(out, id...)
}

// coseKey encodes an uncompressed P-256 point as a COSE_Key (RFC 9053 §7.1.1)
// in canonical CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
func coseKey(point []byte) []byte {
	out := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}
	out = append(out, point[1:33]...)
	out = append(out, 0x22, 0x58, 0x20)
	return append(out, point[33:]...)
}

// attestationObject is {"fmt": "none", "attStmt": {}, "authData": bytes} in CBOR (§6.5.4).
func attestationObject(authData []byte) []byte {
	out := []byte{0xa3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xa0,
		0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x59}
	out = binary.BigEndian.AppendUint16(out, uint16(len(authData)))
	return append(out, authData...)
}
