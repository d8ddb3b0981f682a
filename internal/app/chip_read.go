package app

import (
	"context"
	"errors"
	"io"
	"time"

	"ipse/internal/pii"
	"ipse/internal/proofing"
	"ipse/mrtd/chip"
)

// readOptions says how to read, or a *proofing.ReadError.
func readOptions(req proofing.ReadRequest, random io.Reader) (chip.Options, error) {
	access, err := accessOf(req.Access)
	if err != nil {
		return chip.Options{}, &proofing.ReadError{Code: proofing.FailureAccessDenied, Err: err}
	}
	opts := chip.Options{Access: access, Challenge: req.Challenge[:], Rand: random}
	if req.Progress != nil {
		opts.Progress = func(p chip.Progress) {
			req.Progress(proofing.Progress{File: string(p.File), Index: p.Index, Count: p.Count, BytesRead: p.BytesRead, BytesTotal: p.BytesTotal})
		}
	}
	return opts, nil
}

// accessOf writes the dates as the machine-readable zone does. The card access
// number takes precedence.
func accessOf(a proofing.Access) (chip.Access, error) {
	if !a.CAN.IsZero() {
		return chip.Access{CAN: a.CAN}, nil
	}
	birth, err := zoneDate(a.BirthDate)
	if err != nil {
		return chip.Access{}, err
	}
	expiry, err := zoneDate(a.ExpiryDate)
	if err != nil {
		return chip.Access{}, err
	}
	return chip.Access{Number: a.DocumentNumber, BirthDate: birth, ExpiryDate: expiry}, nil
}

// zoneDate turns YYYY-MM-DD into YYMMDD; fillers stand for the day and the month that
// YYYY-MM and YYYY leave out (ICAO 9303-3 §4.8).
func zoneDate(text pii.Text) (pii.Text, error) {
	for _, layout := range []struct{ typed, zone string }{{time.DateOnly, "060102"}, {"2006-01", "0601<<"}, {"2006", "06<<<<"}} {
		if day, err := time.Parse(layout.typed, text.Reveal()); err == nil {
			return pii.NewText(day.Format(layout.zone)), nil
		}
	}
	return pii.Text{}, errors.New("a date is not YYYY-MM-DD") // the cause would repeat the value
}

// failureOf says for the person why a reading failed. A lost reader or card makes
// itself known by its own methods, which proofing asks first.
func failureOf(err error) proofing.Failure {
	for _, f := range []struct {
		reason error
		code   proofing.Failure
	}{
		{chip.ErrAccessDenied, proofing.FailureAccessDenied},
		{chip.ErrAccessData, proofing.FailureAccessDenied},
		{chip.ErrNoApplication, proofing.FailureNoPassport},
		{chip.ErrUnsupported, proofing.FailureUnsupported},
		{chip.ErrSecureMessaging, proofing.FailureSecure},
		{chip.ErrSessionLost, proofing.FailureSecure},
		{context.DeadlineExceeded, proofing.FailureTimeout},
		{chip.ErrCard, proofing.FailureCardLost},
		{chip.ErrAnswer, proofing.FailureChip},
		{chip.ErrLimit, proofing.FailureChip},
	} {
		if errors.Is(err, f.reason) {
			return f.code
		}
	}
	return proofing.FailureInternal
}
