package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"ipse/internal/config"
	"ipse/internal/pii"
	"ipse/internal/proofing"
	"ipse/mrtd"
	"ipse/mrtd/deviation"
	"ipse/mrtd/jp2"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// chipReader is proofing.ChipReader over package mrtd: it reads the document
// over the relay, judges what was read, and keeps nothing.
type chipReader struct {
	trust  *trust.Live
	policy deviation.Policy
	crl    bool
	grace  time.Duration
	rand   io.Reader
	now    func() time.Time

	mu      sync.Mutex // guards decoder
	decoder *jp2.Decoder
}

func newChipReader(lists *trust.Live, cfg config.Trust, random io.Reader, now func() time.Time) (*chipReader, error) {
	policy, err := deviation.ParsePolicy(cfg.Policy)
	if err != nil {
		return nil, err
	}
	return &chipReader{trust: lists, policy: policy, crl: cfg.RequireCRL, grace: time.Duration(cfg.CRLGrace), rand: random, now: now}, nil
}

// ReadDocument implements proofing.ChipReader.
func (c *chipReader) ReadDocument(ctx context.Context, card proofing.Card, req proofing.ReadRequest) (*proofing.Reading, error) {
	opts, err := readOptions(req, c.rand)
	if err != nil {
		return nil, err
	}
	// The document's own expiry is proofing's to judge, with a reason of its own.
	read, err := mrtd.Inspect(ctx, card, c.trust.Get(), mrtd.InspectOptions{Read: opts, Now: c.now,
		Verify: mrtd.VerifyOptions{Policy: c.policy, AllowExpired: true, RequireCRL: c.crl, CRLGrace: c.grace}})
	if err != nil {
		return nil, &proofing.ReadError{Code: failureOf(err), Err: err}
	}
	defer read.Wipe()
	reading := readingOf(read.Verdict)
	if !reading.Genuine {
		return reading, nil
	}
	if reading.Identity, err = identityOf(read.Evidence); err != nil {
		return nil, &proofing.ReadError{Code: proofing.FailureInternal, Err: err}
	}
	if reading.Portrait, err = c.portrait(ctx, read.Verdict); err != nil {
		if ctx.Err() != nil {
			return nil, &proofing.ReadError{Code: proofing.FailureTimeout, Err: err}
		}
		reading.Portrait = pii.Bytes{} // the camera will be refused, the counter will not
	}
	return reading, nil
}

// identityOf is a hash of the security object that the issuer signed (Doc 9303-10
// §4.6.2.2): exactly one for a document, and nobody can alter it, as they can the
// signature around it (either root of an ECDSA signature verifies).
func identityOf(ev *mrtd.Evidence) (pii.Bytes, error) {
	sod, err := lds.ParseSOD(ev.Files[lds.SOD].Reveal())
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("identity of the document: %w", err)
	}
	sum := sha256.Sum256(sod.Signed.Content)
	return pii.NewBytes(sum[:]), nil
}

// readingOf says what a verdict means for proofing. A portrait that cannot be
// used and a chip that is no original have reasons of their own: they leave the
// data's authenticity untouched.
func readingOf(v *mrtd.Verdict) *proofing.Reading {
	r := &proofing.Reading{Genuine: v.PassiveAuthentication && v.Document != nil, Chip: proofing.ResultFailed}
	for _, check := range v.Checks {
		if check.Result == mrtd.Failed && !strings.HasPrefix(check.ID, "chip.") && check.ID != "dg2.portrait" {
			r.Genuine = false
		}
	}
	if check := v.Find("chip.authentic"); check != nil && check.Result == mrtd.NotOffered {
		r.Chip = proofing.ResultNotOffered
	}
	if v.ChipAuthentic {
		r.Chip = proofing.ResultPassed
	}
	if d := v.Document; r.Genuine {
		r.Attributes = proofing.Attributes{FamilyName: d.FamilyName, GivenName: d.GivenName, BirthDate: d.BirthDate, Sex: d.Sex,
			Nationality: d.Nationality, DocumentKind: d.Kind, DocumentIssuer: d.IssuingState, DocumentNumber: d.Number, DocumentExpiry: d.ExpiryDate}
	}
	return r
}

// portrait returns a copy of the portrait as JPEG, which is what the face
// engine takes. JPEG 2000 is decoded in its sandbox.
func (c *chipReader) portrait(ctx context.Context, v *mrtd.Verdict) (pii.Bytes, error) {
	var decoder *jp2.Decoder
	if v.Portrait != nil && v.Portrait.Format != lds.FormatJPEG {
		var err error
		if decoder, err = c.jp2(ctx); err != nil {
			return pii.Bytes{}, err
		}
	}
	return v.PortraitJPEG(ctx, decoder)
}

// jp2 compiles the decoder when the first JPEG 2000 portrait comes.
func (c *chipReader) jp2(ctx context.Context) (*jp2.Decoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.decoder != nil {
		return c.decoder, nil
	}
	decoder, err := jp2.New(context.WithoutCancel(ctx), jp2.Config{})
	if err != nil {
		return nil, fmt.Errorf("portrait: %w", err)
	}
	c.decoder = decoder
	return decoder, nil
}

func (c *chipReader) close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.decoder == nil {
		return nil
	}
	return c.decoder.Close(ctx)
}
