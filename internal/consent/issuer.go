package consent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// receiptType is the protected `typ` header, so that a signature of this key
// over anything else never passes for a receipt (RFC 8725 §3.11).
const receiptType = "ipse-consent-receipt+jws"

// Config makes an Issuer. Every member is required except Operator.PrivacyURL.
type Config struct {
	// Operator that asks for the consent.
	Operator Operator
	// Key signs receipts; P-256.
	Key *ecdsa.PrivateKey
	// KeyID names the key in the protected header, so that old receipts stay
	// verifiable after a change of key.
	KeyID string
}

// Issuer offers consents and signs receipts. It is safe for concurrent use.
type Issuer struct {
	operator Operator
	key      *ecdsa.PrivateKey
	keyID    string
}

// NewIssuer checks the configuration.
func NewIssuer(cfg Config) (*Issuer, error) {
	switch {
	case cfg.Operator.Name == "" || cfg.Operator.Contact == "":
		return nil, errors.New("consent: operator without name or contact")
	case cfg.Key == nil || cfg.Key.Curve != elliptic.P256():
		return nil, errors.New("consent: signing key must be on P-256")
	case cfg.KeyID == "":
		return nil, errors.New("consent: signing key without identifier")
	}
	return &Issuer{operator: cfg.Operator, key: cfg.Key, keyID: cfg.KeyID}, nil
}

// PublicKey verifies this issuer's receipts.
func (i *Issuer) PublicKey() *ecdsa.PublicKey { return &i.key.PublicKey }

// Operator asks for the consent.
func (i *Issuer) Operator() Operator { return i.operator }

// OfferRequest says what consent is asked for.
type OfferRequest struct {
	SessionID string    // random identifier of the proofing session
	Route     Route     // the person's choice
	Language  Language  // language to show
	Ends      time.Time // end of the session: no check after it
}

// Offer is a consent before it is given: what the page shows.
type Offer struct {
	ID         string // bound to session, text and end; the page sends it back
	Operator   Operator
	Purposes   []Purpose
	Text       Text
	TextSHA256 string
	SessionID  string
	Ends       time.Time
}

// Offer prepares the consent for a session. The same request gives the same
// offer and identifier; another text, route or end gives another identifier,
// so that nobody agrees to a text they were not shown.
func (i *Issuer) Offer(req OfferRequest) (Offer, error) {
	if req.SessionID == "" || req.Ends.IsZero() {
		return Offer{}, errors.New("consent: offer without session or end")
	}
	text, err := RenderText(req.Language, req.Route, i.operator.Name)
	if err != nil {
		return Offer{}, err
	}
	sum, err := text.SHA256()
	if err != nil {
		return Offer{}, err
	}
	ends := req.Ends.UTC().Truncate(time.Second)
	id := sha256.Sum256([]byte("ipse/consent/offer/v1\x00" + req.SessionID + "\x00" + sum + "\x00" + ends.Format(time.RFC3339)))
	return Offer{
		ID:       base64.RawURLEncoding.EncodeToString(id[:16]),
		Operator: i.operator, Purposes: purposes(req.Route), Text: text, TextSHA256: sum,
		SessionID: req.SessionID, Ends: ends,
	}, nil
}

// Issue signs the receipt for an offer that the person accepted at now. The
// result is a flattened JWS in JSON (RFC 7515 §7.2.2, media type application/jose+json).
func (i *Issuer) Issue(offer Offer, now time.Time) (string, error) {
	payload, err := canonical(Receipt{
		SchemaVersion: SchemaVersion, ID: offer.ID, SessionID: offer.SessionID, Controller: offer.Operator,
		Notice:   Notice{Version: offer.Text.Version, Language: offer.Text.Language, TextSHA256: offer.TextSHA256},
		Purposes: offer.Purposes, Route: offer.Text.Route, RoutesOffered: []Route{RouteCamera, RouteCounter},
		Withdrawal: WithdrawAnyTime, Rights: []string{"access", "erasure", "portability", "complaint"},
		Event: Event{State: "given", Type: "explicitly_expressed",
			Issued: now.UTC().Format(time.RFC3339), Ends: offer.Ends.UTC().Format(time.RFC3339)},
	})
	if err != nil {
		return "", fmt.Errorf("encode receipt: %w", err)
	}
	opts := (&jose.SignerOptions{}).WithType(receiptType).WithHeader("kid", i.keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, opts)
	if err != nil {
		return "", fmt.Errorf("prepare receipt signature: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign receipt: %w", err)
	}
	return signed.FullSerialize(), nil
}

// Verify checks a receipt offline and returns what it says. The receipt may be
// in JSON or compact serialisation; it must be signed once, with ES256, by
// key, and be typed as a receipt. Any failure is ErrSignature.
func Verify(receipt string, key *ecdsa.PublicKey) (Receipt, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return Receipt{}, fmt.Errorf("%w: no P-256 key", ErrSignature)
	}
	if len(receipt) > maxReceipt {
		return Receipt{}, fmt.Errorf("%w: too long", ErrSignature)
	}
	signed, err := jose.ParseSignedJSON(receipt, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(signed.Signatures) != 1 {
		return Receipt{}, fmt.Errorf("%w: not one ES256 signature", ErrSignature)
	}
	if typ, _ := signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); typ != receiptType {
		return Receipt{}, fmt.Errorf("%w: not typed as a receipt", ErrSignature)
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: wrong signature", ErrSignature)
	}
	var r Receipt
	if err := json.Unmarshal(payload, &r); err != nil {
		return Receipt{}, fmt.Errorf("%w: unreadable content", ErrSignature)
	}
	return r, nil
}

// maxReceipt bounds what Verify parses, in bytes.
const maxReceipt = 16 << 10

// purposes lists what each route asks for.
func purposes(route Route) []Purpose {
	document := Purpose{Purpose: "identity_proofing", Check: CheckDocument,
		Data: []Data{DataDocumentIdentity, DataDocumentSignatures}, LegalBasis: BasisConsent,
		Retention: RetentionSealed, Recipients: []string{"operator_system"}}
	if route == RouteCounter {
		return []Purpose{document, {Purpose: "same_person", Check: CheckCounter,
			Data: []Data{DataDocumentPortrait}, LegalBasis: BasisConsent,
			Retention: RetentionSession, Recipients: []string{"counter_agent"}}}
	}
	return []Purpose{document, {Purpose: "same_person", Check: CheckFace,
		Data: []Data{DataDocumentPortrait, DataLiveFrames}, LegalBasis: BasisExplicitConsent,
		Retention: RetentionSession, Recipients: []string{"operator_system"}}}
}
