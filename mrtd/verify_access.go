package mrtd

import (
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/lds"
)

// accessParameters compares EF.CardAccess, which nobody signs, with DG14, which
// repeats its security infos (ICAO 9303-11 §9.2): whoever stands between reader and
// chip could have offered weaker parameters of PACE, or none. A difference is a named
// deviation; the conversation itself was protected under what was used.
func (v *verifier) accessParameters(authenticated bool) {
	const id, clause = "access.parameters", "9303-11 9.2"
	if !authenticated || v.sod == nil {
		v.check(id, Skipped, clause, "passive authentication failed")
		return
	}
	offered := &pace.Infos{}
	if b := v.ev.File(lds.CardAccess); b != nil {
		infos, err := pace.ParseInfos(b)
		if err != nil {
			v.check(id, Skipped, clause, "EF.CardAccess cannot be read")
			return
		}
		offered = infos
	}
	signed := &pace.Infos{}
	if dg14 := v.ev.File(lds.DG14); dg14 != nil && v.sod.Lists(lds.DG14) {
		if infos, err := chipInfos(dg14); err == nil {
			signed = infos
		}
	}
	missing := offered.NotIn(signed)
	switch {
	case missing > 0:
		v.deviate(deviation.Deviation{Code: deviation.ChipUnsignedAccess, Where: string(lds.CardAccess)})
		v.check(id, Skipped, clause, "%d security infos of EF.CardAccess are not in the signed DG14", missing)
	case len(signed.PACE) > 0 && (v.ev.Session.Access == "BAC" || v.ev.Session.Access == "none"):
		v.deviate(deviation.Deviation{Code: deviation.ChipPACENotUsed, Where: string(lds.DG14)})
		v.check(id, Skipped, clause, "the signed DG14 lists PACE and %s was used", v.ev.Session.Access)
	case len(offered.PACE) == 0:
		v.check(id, NotOffered, clause, "the document offers no PACE")
	default:
		v.check(id, Passed, clause, "the parameters of PACE are those that the issuer signed")
	}
}
