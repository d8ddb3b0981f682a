package mrtd

import (
	"slices"
	"strings"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/lds"
)

// accessParameters compares EF.CardAccess, which nobody signs, with DG14, which
// repeats its security infos (ICAO 9303-11 §9.2), and with what opened the chip:
// whoever stands between reader and chip could have offered weaker parameters of
// PACE, hidden the stronger ones, or all. A difference is a named deviation; the
// conversation itself was protected under what was used.
func (v *verifier) accessParameters(authenticated bool) {
	const id, clause = "access.parameters", "9303-11 9.2"
	if !authenticated {
		v.check(id, Skipped, clause, "passive authentication failed")
		return
	}
	offered, signed := v.offeredInfos(), &pace.Infos{}
	if dg14 := v.ev.File(lds.DG14); dg14 != nil && v.sod.Lists(lds.DG14) {
		if infos, err := chipInfos(dg14); err == nil {
			signed = infos
		}
	}
	differences := v.accessDifferences(offered, signed)
	switch {
	case len(differences) > 0:
		v.check(id, Skipped, clause, "%s", strings.Join(differences, "; "))
	case len(offered.PACE) == 0 && len(signed.PACE) == 0:
		v.check(id, NotOffered, clause, "the document offers no PACE")
	default:
		v.check(id, Passed, clause, "the parameters of PACE are those that the issuer signed")
	}
}

// offeredInfos are the security infos of EF.CardAccess; one that cannot be read
// offers nothing.
func (v *verifier) offeredInfos() *pace.Infos {
	b := v.ev.File(lds.CardAccess)
	if b == nil {
		return &pace.Infos{}
	}
	infos, err := pace.ParseInfos(b)
	if err != nil {
		v.deviate(deviation.Deviation{Code: deviation.ChipCardAccess, Where: string(lds.CardAccess)})
		return &pace.Infos{}
	}
	return infos
}

// accessDifferences names in what the offer and the use of PACE depart from what is
// signed.
func (v *verifier) accessDifferences(offered, signed *pace.Infos) []string {
	var out []string
	name := func(code deviation.Code, where lds.FileID, what string) {
		v.deviate(deviation.Deviation{Code: code, Where: string(where)})
		out = append(out, what)
	}
	session := &v.ev.Session
	protocol, byPACE := pace.ParsePACE(session.Protocol)
	used := slices.Contains(signed.PACE, pace.Info{Protocol: protocol, ParameterID: session.ParameterID})
	if offered.NotIn(signed) > 0 || byPACE && !used {
		name(deviation.ChipUnsignedAccess, lds.CardAccess, "EF.CardAccess offers PACE in a way that the signed DG14 does not")
	}
	switch {
	case len(signed.PACE) > 0 && !byPACE:
		name(deviation.ChipPACENotUsed, lds.DG14, "the signed DG14 lists PACE and another protocol opened the chip")
	case signed.NotIn(offered) > 0:
		name(deviation.ChipAccessHidden, lds.CardAccess, "the signed DG14 lists PACE in a way that EF.CardAccess does not offer")
	}
	return out
}
