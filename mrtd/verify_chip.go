package mrtd

import (
	"bytes"
	"errors"
	"slices"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// chipAuthenticity checks that the chip is the one the data were signed for
// (ICAO 9303-11 §6). What is owed is read from the signed security object, never
// from what the chip offers: a clone without the private keys would hide DG14
// and DG15 and leave them out of EF.COM.
func (v *verifier) chipAuthenticity(authenticated bool) {
	if !authenticated {
		v.check("chip.aa", Skipped, "9303-11 6.1", "passive authentication failed")
		v.check("chip.ca", Skipped, "9303-11 6.2", "passive authentication failed")
		v.check("chip.authentic", Skipped, "9303-11 6", "passive authentication failed")
		return
	}
	aa, ca := v.activeAuthentication(), v.chipAuthentication()
	proved := aa == Passed || ca == Passed
	broken := aa == Failed || ca == Failed
	owed := aa != NotOffered || ca != NotOffered
	const id, clause = "chip.authentic", "9303-11 6"
	switch {
	case broken:
		v.check(id, Failed, clause, "a proof was given and is wrong, or a signed data group that carries the key is missing")
	case proved && v.opts.RequireFresh && v.freshness(ca == Passed) == FreshnessUnknown:
		v.check(id, Failed, clause, "the proof may be old: it is neither over a challenge of the verifier nor made in its session")
	case proved:
		v.out.ChipAuthentic = v.check(id, Passed, clause, "the chip holds the private key that the issuer signed")
		v.out.Freshness = v.freshness(ca == Passed)
	case owed:
		v.check(id, Failed, clause, "the signed security object lists a chip key and no proof of it was given")
	default:
		v.check(id, NotOffered, clause, "the document carries no chip key: a copy of the chip cannot be told from the chip")
	}
}

// freshness says what rules out that the proof is old.
func (v *verifier) freshness(agreed bool) Freshness {
	switch {
	case v.aaFresh:
		return OwnChallenge
	case agreed && v.opts.OwnSession:
		return OwnSession
	}
	return FreshnessUnknown
}

// activeAuthentication returns Skipped where it is owed but was not performed.
func (v *verifier) activeAuthentication() Result {
	const id, clause = "chip.aa", "9303-11 6.1"
	report := func(r Result, format string, args ...any) Result {
		v.check(id, r, clause, format, args...)
		return r
	}
	if !v.sod.Lists(lds.DG15) {
		return report(NotOffered, "the security object lists no DG15")
	}
	dg15 := v.ev.File(lds.DG15)
	if dg15 == nil {
		return report(Failed, "DG15 is signed and listed, and was not read")
	}
	if v.announcedKind(trust.AACompromised) {
		return report(Skipped, "the issuing state announces that such keys are compromised: a proof would be worth nothing")
	}
	t := v.ev.Session.AA
	if t == nil {
		return report(Skipped, "owed and not performed")
	}
	if v.opts.AAChallenge != nil && !bytes.Equal(v.opts.AAChallenge, t.Challenge) {
		return report(Failed, "the challenge is not the one chosen for this session")
	}
	how, ds, err := verifyAA(dg15, v.ev.File(lds.DG14), t)
	if err != nil {
		return report(Failed, "%s", reason(err))
	}
	v.deviate(deviation.At("AA", ds)...)
	v.aaFresh = v.opts.AAChallenge != nil
	freshness := "the challenge is the verifier's own"
	if v.opts.AAChallenge == nil {
		freshness = "the challenge's freshness is not known"
	}
	return report(Passed, "%s; %s", how, freshness)
}

func (v *verifier) chipAuthentication() Result {
	const id, clause = "chip.ca", "9303-11 6.2"
	report := func(r Result, format string, args ...any) Result {
		v.check(id, r, clause, format, args...)
		return r
	}
	if !v.sod.Lists(lds.DG14) {
		return report(NotOffered, "the security object lists no DG14")
	}
	dg14 := v.ev.File(lds.DG14)
	if dg14 == nil {
		return report(Failed, "DG14 is signed and listed, and was not read")
	}
	if _, ds, err := lds.Content(lds.DG14, dg14); err == nil {
		v.deviate(ds...)
	}
	infos, err := chipInfos(dg14)
	if err != nil {
		return report(Failed, "%s", reason(err))
	}
	mapping := slices.ContainsFunc(infos.PACE, func(i pace.Info) bool { return i.Protocol.Mapping == pace.ChipAuth })
	if len(infos.Keys) == 0 && !mapping && v.ev.Session.CAM == nil {
		return report(NotOffered, "DG14 carries no chip authentication key")
	}
	how, err := v.provedByKeyAgreement(dg14)
	switch {
	case errors.Is(err, errNotPerformed):
		return report(Skipped, "owed and not performed")
	case err != nil:
		return report(Failed, "%s", reason(err))
	}
	freshness := "in this session"
	if !v.opts.OwnSession {
		freshness = "a transcript convinces none but the reader that made it"
	}
	return report(Passed, "%s; %s", how, freshness)
}

var errNotPerformed = errors.New("chip authentication: not performed")

// provedByKeyAgreement checks every transcript there is; a wrong one is never
// made good by a right one.
func (v *verifier) provedByKeyAgreement(dg14 []byte) (how string, err error) {
	if v.ev.Session.CA == nil && v.ev.Session.CAM == nil {
		return "", errNotPerformed
	}
	if v.ev.Session.CAM != nil {
		if how, err = v.verifyCAM(dg14); err != nil {
			return "", err
		}
	}
	if t := v.ev.Session.CA; t != nil {
		ca, ds, err := verifyCA(dg14, t)
		if err != nil {
			return "", err
		}
		v.deviate(deviation.At("CA", ds)...)
		how = ca
	}
	return how, nil
}
