package mrtd_test

import (
	"slices"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/tlv"
)

// TestUnsignedAccessParametersAreNamed: a relay that rewrites or hides EF.CardAccess
// leaves a trace in the verdict.
func TestUnsignedAccessParametersAreNamed(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store := storeOf(t, i)
	d := issue(t, i, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true,
		PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.4", ParameterID: 17}}})
	more := issue(t, i, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "P-256"}}, Access: specimen.AccessConfig{BAC: true,
		PACE:        &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.6.4", ParameterID: 12},
		FurtherPACE: []specimen.PACEConfig{{Protocol: "0.4.0.127.0.7.2.2.4.2.1", ParameterID: 12}}}})
	weakest := tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4.2.1"), tlv.EncodeInt(2), tlv.EncodeInt(12)))
	weaker := tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4.1.1"), tlv.EncodeInt(2), tlv.EncodeInt(0)))
	const gm256, gm3DES = "0.4.0.127.0.7.2.2.4.2.4", "0.4.0.127.0.7.2.2.4.2.1"
	bac := mrtd.Session{Access: "BAC"}
	for name, tc := range map[string]struct {
		doc     *specimen.Document
		access  []byte // EF.CardAccess, nil for the document's
		session mrtd.Session
		result  mrtd.Result
		codes   []deviation.Code
	}{
		"no PACE at all":    {issue(t, i, specimen.DocumentConfig{}), nil, bac, mrtd.NotOffered, nil},
		"as signed":         {d, nil, mrtd.Session{Access: "PACE-GM", Protocol: gm256, ParameterID: 17}, mrtd.Passed, nil},
		"rewritten":         {d, weaker, mrtd.Session{Access: "PACE-GM", Protocol: "0.4.0.127.0.7.2.2.4.1.1"}, mrtd.Skipped, []deviation.Code{deviation.ChipUnsignedAccess, deviation.ChipAccessHidden}},
		"added to":          {d, tlv.Encode(tlv.Set, d.Files[lds.CardAccess][2:], weaker[2:]), mrtd.Session{Access: "PACE-GM", Protocol: gm256, ParameterID: 17}, mrtd.Skipped, []deviation.Code{deviation.ChipUnsignedAccess}},
		"hidden":            {d, []byte{}, bac, mrtd.Skipped, []deviation.Code{deviation.ChipPACENotUsed}},
		"hidden, PACE used": {d, []byte{}, mrtd.Session{Access: "PACE-GM", Protocol: "0.4.0.127.0.7.2.2.4.1.1"}, mrtd.Skipped, []deviation.Code{deviation.ChipUnsignedAccess, deviation.ChipAccessHidden}},
		"unreadable":        {d, []byte{0x30, 0}, bac, mrtd.Skipped, []deviation.Code{deviation.ChipCardAccess, deviation.ChipPACENotUsed}},
		"refused":           {d, nil, bac, mrtd.Skipped, []deviation.Code{deviation.ChipPACENotUsed}},
		"all of several":    {more, nil, mrtd.Session{Access: "PACE-GM", Protocol: gm3DES, ParameterID: 12}, mrtd.Passed, nil},
		"the weakest left":  {more, weakest, mrtd.Session{Access: "PACE-GM", Protocol: gm3DES, ParameterID: 12}, mrtd.Skipped, []deviation.Code{deviation.ChipAccessHidden}},
	} {
		ev := evidenceOf(t, tc.doc, nil)
		ev.Session = tc.session
		if tc.access != nil {
			ev.Files[lds.CardAccess] = pii.NewBytes(tc.access)
		}
		if len(tc.access) == 0 && tc.access != nil {
			delete(ev.Files, lds.CardAccess)
		}
		v := verify(t, ev, store, mrtd.VerifyOptions{})
		if c := v.Find("access.parameters"); c == nil || c.Result != tc.result {
			t.Errorf("%s: %+v", name, c)
		}
		for _, code := range []deviation.Code{deviation.ChipUnsignedAccess, deviation.ChipAccessHidden, deviation.ChipPACENotUsed, deviation.ChipCardAccess} {
			if named(v, code) != slices.Contains(tc.codes, code) {
				t.Errorf("%s: %s: %v", name, code, v.Deviations)
			}
		}
	}
}
