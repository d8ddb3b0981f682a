package mrtd_test

import (
	"strings"
	"testing"
	"time"

	"ipse/mrtd"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// A revocation list counts while it is fresh, or within the grace that the verifier
// gives; a stale one, one of another authority's and none are told apart.
func TestFreshnessOfRevocationLists(t *testing.T) {
	t.Parallel()
	i, other := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256"), newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	ev := evidenceOf(t, issue(t, i, specimen.DocumentConfig{}), nil)
	load := func(crls ...[]byte) *trust.Store {
		t.Helper()
		sources := []trust.Source{{Name: "csca", Data: i.CSCA()}}
		for _, crl := range crls {
			sources = append(sources, trust.Source{Name: "crl", Data: crl})
		}
		s, _, err := trust.Load(sources, trust.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	crl := func(from *specimen.Issuer, at time.Time) []byte {
		t.Helper()
		b, err := from.CRL(at) // to be replaced after three months
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	year := now().AddDate(-1, 0, 0)
	for name, c := range map[string]struct {
		store *trust.Store
		grace time.Duration
		want  mrtd.Result // where a fresh list is required
		fresh bool
	}{
		"fresh":                  {load(crl(i, now())), 0, mrtd.Passed, true},
		"stale":                  {load(crl(i, year)), 0, mrtd.Failed, false},
		"stale, within grace":    {load(crl(i, year)), 300 * 24 * time.Hour, mrtd.Passed, true},
		"stale and fresh":        {load(crl(i, year), crl(i, now())), 0, mrtd.Passed, true},
		"of a namesake":          {load(crl(other, now())), 0, mrtd.Failed, false},
		"of a namesake and true": {load(crl(other, now()), crl(i, now())), 0, mrtd.Passed, true},
		"none":                   {load(), 0, mrtd.Failed, false},
	} {
		v := verify(t, ev, c.store, mrtd.VerifyOptions{RequireCRL: true, CRLGrace: c.grace})
		if got := v.Find("revocation.signer"); got.Result != c.want || v.Genuine != (c.want == mrtd.Passed) || v.Revocation != nil && v.Revocation.Fresh != c.fresh ||
			(v.Revocation == nil) != (name == "none" || name == "of a namesake") || v.Revocation != nil && v.Revocation.ListNext == nil ||
			strings.Contains(got.Detail, "not signed by it") != (name == "of a namesake") {
			explain(t, v)
			t.Errorf("%s: %s", name, got.Result)
		}
		if v := verify(t, ev, c.store, mrtd.VerifyOptions{CRLGrace: c.grace}); !v.Genuine {
			t.Errorf("%s: refused though no list is required", name)
		}
	}
	// What a list says counts, however old it is.
	if err := i.Revoke(i.DS()); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, ev, load(crl(i, year), crl(other, now())), mrtd.VerifyOptions{}); v.Genuine || !v.Revocation.Revoked {
		t.Error("a revoked signer is accepted")
	}
}
