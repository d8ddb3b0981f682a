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
	weaker := tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4.1.1"), tlv.EncodeInt(2), tlv.EncodeInt(0)))
	for name, tc := range map[string]struct {
		change func(ev *mrtd.Evidence)
		result mrtd.Result
		code   deviation.Code
	}{
		"as signed": {func(*mrtd.Evidence) {}, mrtd.Passed, ""},
		"rewritten": {func(ev *mrtd.Evidence) { ev.Files[lds.CardAccess] = pii.NewBytes(weaker) }, mrtd.Skipped, deviation.ChipUnsignedAccess},
		"hidden": {func(ev *mrtd.Evidence) {
			delete(ev.Files, lds.CardAccess)
			ev.Session.Access = "BAC"
		}, mrtd.Skipped, deviation.ChipPACENotUsed},
		"unreadable": {func(ev *mrtd.Evidence) { ev.Files[lds.CardAccess] = pii.NewBytes([]byte{0x30, 0}) }, mrtd.Skipped, ""},
	} {
		ev := evidenceOf(t, d, nil)
		ev.Session.Access = "PACE-GM"
		tc.change(ev)
		v, err := mrtd.Verify(ev, store, mrtd.VerifyOptions{Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(v.Checks, func(c mrtd.Check) bool { return c.ID == "access.parameters" })
		if at < 0 || v.Checks[at].Result != tc.result {
			t.Errorf("%s: %+v", name, v.Checks)
		}
		named := slices.ContainsFunc(v.Deviations, func(x deviation.Deviation) bool { return x.Code == tc.code })
		if named != (tc.code != "") {
			t.Errorf("%s: %v", name, v.Deviations)
		}
	}
}
