package mrtd

import (
	"slices"

	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// announced looks up what the issuing state announces about such documents
// (ICAO 9303-12 §10). The zone is not authenticated yet: a wrong one fails its own
// check, which no announcement excuses.
func (v *verifier) announced() {
	if v.signer == nil {
		return
	}
	d := trust.Document{Signer: v.signer}
	if t := v.out.Signature.SigningTime; t != nil {
		d.Signed = *t
	}
	if zone, _, err := lds.ParseDG1(v.ev.File(lds.DG1)); err == nil {
		d.Code, d.Number = zone.DocumentCode, zone.Number.Reveal()
	}
	v.out.KnownDeviations = v.store.KnownDeviations(d)
}

func (v *verifier) announcedKind(kind string) bool {
	return slices.ContainsFunc(v.out.KnownDeviations, func(k trust.KnownDeviation) bool { return k.Kind == kind })
}

// excused reports whether a wrong hash is announced for that data group and the
// group is one that neither identifies the holder nor proves the chip. Such a
// group is not used.
func (v *verifier) excused(id lds.FileID, n int) bool {
	switch n {
	case 1, 2, 14, 15:
		return false
	}
	if !slices.ContainsFunc(v.out.KnownDeviations, func(k trust.KnownDeviation) bool { return k.Kind == trust.DGHashWrong && k.Group == n }) {
		return false
	}
	if v.unsigned == nil {
		v.unsigned = map[lds.FileID]bool{}
	}
	v.unsigned[id] = true
	v.deviate(deviation.Deviation{Code: deviation.HashKnownWrong, Where: string(id)})
	return true
}
