package mrtd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ipse/internal/pii"
	"ipse/mrtd/chip"
	"ipse/mrtd/jp2"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// Read drives a chip and gathers evidence. now is the clock: Session.ReadAt is
// when the reading ended. Errors are those of chip.Read.
func Read(ctx context.Context, card chip.Card, opts chip.Options, now func() time.Time) (*Evidence, error) {
	if now == nil {
		return nil, ErrOptions
	}
	r, err := chip.Read(ctx, card, opts)
	if err != nil {
		return nil, err
	}
	return NewEvidence(r, now()), nil
}

// NewEvidence makes evidence of a reading that ended at the time at. It takes the
// reading's buffers over: wipe the evidence, not the reading.
func NewEvidence(r *chip.Reading, at time.Time) *Evidence {
	ev := &Evidence{Files: r.Files, Session: Session{Access: r.Access, Protocol: r.Protocol, ParameterID: r.ParameterID,
		ReadAt: at.UTC(), Deviations: r.Deviations}}
	if t := r.AA; t != nil {
		ev.Session.AA = &AATranscript{Challenge: t.Challenge, Response: t.Response}
	}
	if t := r.CA; t != nil {
		ev.Session.CA = &CATranscript{Protocol: t.Protocol, KeyID: t.KeyID, TerminalPrivate: t.TerminalPrivate,
			TerminalPublic: t.TerminalPublic, Command: t.Command, Response: t.Response}
	}
	if t := r.CAM; t != nil {
		ev.Session.CAM = &CAMTranscript{ChipAuthenticationData: t.ChipAuthenticationData, MappingPublicKey: t.MappingPublicKey}
	}
	return ev
}

// InspectOptions say how to read and how to judge.
type InspectOptions struct {
	// Read is handed to chip.Read. Its Challenge is also the one that the verdict
	// wants answered.
	Read chip.Options
	// Verify says how strictly to judge; Now, AAChallenge and OwnSession are set
	// by Inspect.
	Verify VerifyOptions
	// Now is the clock; required.
	Now func() time.Time
}

// Inspection is a document read and judged in one go. Wipe it when done.
type Inspection struct {
	Evidence *Evidence
	Verdict  *Verdict
}

// Inspect reads a document and judges it, as a server does that drives the chip
// itself. A document that is not genuine is an Inspection, not an error: errors
// are those of chip.Read and ErrOptions.
func Inspect(ctx context.Context, card chip.Card, store *trust.Store, opts InspectOptions) (*Inspection, error) {
	if store == nil {
		return nil, ErrOptions
	}
	ev, err := Read(ctx, card, opts.Read, opts.Now)
	if err != nil {
		return nil, err
	}
	opts.Verify.Now, opts.Verify.AAChallenge, opts.Verify.OwnSession = ev.Session.ReadAt, opts.Read.Challenge, true
	v, err := Verify(ev, store, opts.Verify)
	if err != nil {
		ev.Wipe()
		return nil, err
	}
	return &Inspection{Evidence: ev, Verdict: v}, nil
}

// Wipe overwrites the evidence and forgets the verdict.
func (i *Inspection) Wipe() {
	if i == nil {
		return
	}
	i.Evidence.Wipe()
	*i = Inspection{}
}

// ErrNoPortrait reports a verdict without a portrait: DG2 is missing, unreadable
// or not authenticated.
var ErrNoPortrait = errors.New("mrtd: no authenticated portrait")

// PortraitJPEG returns the portrait as JPEG, in a buffer of its own that the
// caller wipes. JPEG 2000 is decoded in decoder's sandbox; with a nil decoder it
// is refused.
func (v *Verdict) PortraitJPEG(ctx context.Context, decoder *jp2.Decoder) (pii.Bytes, error) {
	if v.Portrait == nil || v.Portrait.Image.Len() == 0 {
		return pii.Bytes{}, ErrNoPortrait
	}
	image := v.Portrait.Image.Reveal()
	if v.Portrait.Format == lds.FormatJPEG {
		return pii.NewBytes(append([]byte(nil), image...)), nil
	}
	if decoder == nil {
		return pii.Bytes{}, fmt.Errorf("mrtd: portrait in %s: %w", v.Portrait.Format, lds.ErrUnsupported)
	}
	out, err := decoder.JPEG(ctx, image)
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("mrtd: portrait: %w", err)
	}
	return out, nil
}
