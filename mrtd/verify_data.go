package mrtd

import (
	"slices"
	"strings"
	"time"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
)

// commonData compares EF.COM, which nobody signed, with the security object: a
// difference is named, and nothing is ever concluded from EF.COM.
func (v *verifier) commonData() {
	const id, clause = "com.consistent", "9303-10 4.6.1"
	b := v.ev.File(lds.COM)
	if b == nil || v.sod == nil {
		v.check(id, NotOffered, clause, "not read")
		return
	}
	com, err := lds.ParseCOM(b)
	if err != nil {
		v.deviate(deviation.Deviation{Code: deviation.COMMissing, Where: "COM"})
		v.check(id, NotOffered, clause, "unreadable")
		return
	}
	v.deviate(com.Deviations...)
	signed := make([]lds.FileID, 0, len(v.sod.Groups))
	for _, g := range v.sod.Groups {
		signed = append(signed, lds.DataGroup(g.Number))
	}
	listed := slices.Clone(com.Groups)
	slices.Sort(signed)
	slices.Sort(listed)
	if !slices.Equal(signed, listed) {
		v.deviate(deviation.Deviation{Code: deviation.COMDiffers, Where: "COM"})
		v.check(id, NotOffered, clause, "EF.COM lists other data groups than the signed EF.SOD")
		return
	}
	v.check(id, Passed, clause, "EF.COM lists the data groups that the signed EF.SOD lists")
}

// documentData reads DG1, DG2, DG11 and DG12. What they say is handed out only
// when passive authentication passed: unsigned data are nobody's.
func (v *verifier) documentData(authenticated bool) {
	v.machineReadableZone(authenticated)
	v.portrait(authenticated)
	if !authenticated {
		return
	}
	if b := v.ev.File(lds.DG11); b != nil && !v.unsigned[lds.DG11] {
		if d, err := lds.ParseDG11(b); err == nil {
			v.out.Details = d
			v.deviate(d.Deviations...)
		} else {
			v.deviate(deviation.Deviation{Code: deviation.TextMalformed, Where: "DG11"})
		}
	}
	if b := v.ev.File(lds.DG12); b != nil && !v.unsigned[lds.DG12] {
		if d, err := lds.ParseDG12(b); err == nil {
			v.out.Issue = d
			v.deviate(d.Deviations...)
		} else {
			v.deviate(deviation.Deviation{Code: deviation.TextMalformed, Where: "DG12"})
		}
	}
}

func (v *verifier) machineReadableZone(authenticated bool) {
	const id, clause = "dg1.mrz", "9303-10 4.7.1, 9303-3 4.9"
	b := v.ev.File(lds.DG1)
	if b == nil {
		v.check(id, Skipped, clause, "DG1 was not read")
		return
	}
	zone, ds, err := lds.ParseDG1(b)
	if err != nil {
		v.check(id, Failed, clause, "%s", reason(err))
		return
	}
	v.deviate(ds...)
	v.check(id, Passed, clause, "%s", zone.Format)
	v.issuingState(zone)
	v.expiry(zone)
	if authenticated {
		v.out.Document = document(zone, v.opts.Now)
	}
}

// issuingState checks that the country whose authority vouches for the signer
// is the one the zone names, so that one state cannot sign for another.
func (v *verifier) issuingState(zone *mrz.MRZ) {
	const id, clause = "dg1.issuing_state", "9303-12 7.1.1, 9303-3 5"
	if v.path == nil {
		v.check(id, Skipped, clause, "no chain")
		return
	}
	if types := v.signer.DocumentTypes; len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return sameType(t, zone.DocumentCode) }) {
		v.deviate(deviation.Deviation{Code: deviation.ChainDocumentType, Where: "DS certificate"})
	}
	signer := v.path.Issuer().Cert.Country()
	switch sameState(zone.IssuingState, signer) {
	case stateSame:
		v.check(id, Passed, clause, "the zone and the authority name the same state")
	case stateDifferent:
		v.check(id, Failed, clause, "the zone names %s, the authority is of %s", zone.IssuingState, signer)
	case stateUnknown:
		v.check(id, NotOffered, clause, "no rule relates the zone's %s to the authority's %s", zone.IssuingState, signer)
	}
}

// sameType compares a type of a document signer's list with the document code of
// a zone. A list of one letter covers the codes that begin with it; fillers count
// for nothing.
func sameType(listed, code string) bool {
	listed, code = strings.TrimRight(listed, "< "), strings.TrimRight(code, "< ")
	return listed == code || len(listed) == 1 && strings.HasPrefix(code, listed)
}

func (v *verifier) expiry(zone *mrz.MRZ) {
	const id, clause = "document.expiry", "9303-3 4.8"
	date, ok := mrz.Expiry(zone.ExpiryDate.Reveal(), v.opts.Now)
	if !ok {
		v.check(id, NotOffered, clause, "the zone states no date of expiry")
		return
	}
	// The document is good through its last day anywhere on earth.
	end, err := time.Parse(time.DateOnly, date)
	if err != nil {
		v.check(id, NotOffered, clause, "the date of expiry is incomplete")
		return
	}
	if v.opts.Now.UTC().Before(end.AddDate(0, 0, 1).Add(12 * time.Hour)) {
		v.check(id, Passed, clause, "in force")
		return
	}
	v.out.Expired = true
	result := Failed
	if v.opts.AllowExpired {
		result = NotOffered
	}
	v.check(id, result, clause, "the document has expired")
}

func (v *verifier) portrait(authenticated bool) {
	const id, clause = "dg2.portrait", "9303-10 4.7.2"
	b := v.ev.File(lds.DG2)
	if b == nil {
		v.check(id, Skipped, clause, "DG2 was not read")
		return
	}
	p, err := lds.ParseDG2(b)
	if err != nil {
		v.check(id, Failed, clause, "%s", reason(err))
		return
	}
	v.deviate(p.Deviations...)
	v.check(id, Passed, clause, "%s, ISO/IEC %s", p.Format, p.Standard)
	if authenticated {
		v.out.Portrait = &Portrait{Format: p.Format, Standard: p.Standard, Width: p.Width, Height: p.Height,
			CapturedOn: p.CapturedOn, Image: p.Image}
	}
}

func document(zone *mrz.MRZ, now time.Time) *Document {
	d := &Document{Kind: kind(zone), Code: zone.DocumentCode, IssuingState: zone.IssuingState, Number: zone.Number,
		FamilyName: zone.FamilyName, GivenName: zone.GivenNames, Nationality: pii.NewText(zone.Nationality), Sex: zone.Sex,
		Optional: zone.Optional, NameTruncated: zone.NameTruncated}
	if date, ok := mrz.Birth(zone.BirthDate.Reveal(), now); ok {
		d.BirthDate = pii.NewText(date)
	}
	if date, ok := mrz.Expiry(zone.ExpiryDate.Reveal(), now); ok {
		d.ExpiryDate = pii.NewText(date)
	}
	return d
}

// kind follows the document codes of Doc 9303 parts 4, 5 and 7 and, for
// residence permits, their use in the European Union.
func kind(zone *mrz.MRZ) string {
	code := zone.DocumentCode
	switch {
	case strings.HasPrefix(code, "P"):
		return "passport"
	case strings.HasPrefix(code, "V"):
		return "visa"
	case code == "IR" || code == "AR" || code == "RP" || strings.HasPrefix(code, "R"):
		return "residence_permit"
	case strings.HasPrefix(code, "I"), strings.HasPrefix(code, "C"), strings.HasPrefix(code, "A"):
		return "id_card"
	}
	return "travel_document"
}
