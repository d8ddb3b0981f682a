package mrtd_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// announce loads the issuer's own list and a deviation list made by signer.
func announce(t *testing.T, i, signer *specimen.Issuer, entries ...specimen.Announcement) (*trust.Store, trust.Report) {
	t.Helper()
	ml, err1 := i.MasterList(now())
	dl, err2 := signer.DeviationList(now(), entries...)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	// The deviation list comes first: the authority that certifies its signer later.
	s, reports, err := trust.Load([]trust.Source{{Name: "known.dl", Data: dl}, {Name: "specimen.ml", Data: ml}}, trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, reports[0]
}

func TestAnnouncedWrongHashIsExcusedForDescriptiveGroupsAlone(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	details := []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}}
	d := issue(t, i, specimen.DocumentConfig{Issue: details, Faults: map[string]bool{specimen.FaultWrongDG12: true}})
	ev := evidenceOf(t, d, nil)
	dg12 := specimen.Announcement{Kind: trust.DGHashWrong, Group: 12, Description: "wrong DG12"}
	if v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{}); v.Genuine || v.Find("hash.DG12").Result != mrtd.Failed {
		t.Error("a wrong hash that nobody announces is excused")
	}
	for name, c := range map[string]struct {
		change func(*specimen.Announcement)
		want   bool
	}{
		"all documents":           {func(*specimen.Announcement) {}, true},
		"this signer":             {func(a *specimen.Announcement) { a.Signer = i.DS() }, true},
		"this signer's key":       {func(a *specimen.Announcement) { a.Signer, a.By = i.DS(), "key" }, true},
		"this signer's digest":    {func(a *specimen.Announcement) { a.Signer, a.By = i.DS(), "digest" }, true},
		"another signer's key":    {func(a *specimen.Announcement) { a.Signer, a.By = newIssuer(t, "", "").DS(), "key" }, false},
		"another signer's digest": {func(a *specimen.Announcement) { a.Signer, a.By = newIssuer(t, "", "").DS(), "digest" }, false},
		"this number":             {func(a *specimen.Announcement) { a.Numbers = []string{"X", "L898902C3"} }, true},
		"this code":               {func(a *specimen.Announcement) { a.Code = "P" }, true},
		"this period":             {func(a *specimen.Announcement) { a.From, a.To = now().AddDate(0, -1, 0), now() }, true},
		"another group":           {func(a *specimen.Announcement) { a.Group = 11 }, false},
		"another kind":            {func(a *specimen.Announcement) { a.Kind = trust.DGMalformed }, false},
		"another signer":          {func(a *specimen.Announcement) { a.Signer = newIssuer(t, "", "").DS() }, false},
		"another number":          {func(a *specimen.Announcement) { a.Numbers = []string{"L898902C4"} }, false},
		"another code":            {func(a *specimen.Announcement) { a.Code = "ID" }, false},
		"an earlier period":       {func(a *specimen.Announcement) { a.From, a.To = now().AddDate(-2, 0, 0), now().AddDate(-1, 0, 0) }, false},
	} {
		a := dg12
		c.change(&a)
		s, report := announce(t, i, i, a)
		if report.Form != "deviation list" || report.KnownDeviations != 1 || len(report.Refused) != 0 {
			t.Fatalf("%s: %+v", name, report)
		}
		v := verify(t, ev, s, mrtd.VerifyOptions{})
		if v.Genuine != c.want || v.Issue != nil {
			explain(t, v)
			t.Errorf("%s: genuine %v", name, v.Genuine)
		}
		if c.want && (len(v.KnownDeviations) != 1 || !named(v, deviation.HashKnownWrong)) {
			t.Errorf("%s: the announcement is not named", name)
		}
	}
	// Nothing excuses the portrait.
	bad := evidenceOf(t, issue(t, i, specimen.DocumentConfig{Faults: map[string]bool{specimen.FaultTamperedDG2: true}}), nil)
	s, _ := announce(t, i, i, specimen.Announcement{Kind: trust.DGHashWrong, Group: 2})
	if v := verify(t, bad, s, mrtd.VerifyOptions{}); v.Genuine {
		t.Error("a wrong portrait is excused")
	}
}

func named(v *mrtd.Verdict, code deviation.Code) bool {
	for _, d := range v.Deviations {
		if d.Code == code {
			return true
		}
	}
	return false
}

func TestAnnouncementsOfStrangersCountForNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	stranger := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	s, report := announce(t, i, stranger, specimen.Announcement{Kind: trust.DGHashWrong, Group: 12})
	if len(report.Refused) != 1 || report.KnownDeviations != 0 {
		t.Errorf("%+v", report)
	}
	d := issue(t, i, specimen.DocumentConfig{Issue: []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}}, Faults: map[string]bool{specimen.FaultWrongDG12: true}})
	if v := verify(t, evidenceOf(t, d, nil), s, mrtd.VerifyOptions{}); v.Genuine || len(v.KnownDeviations) != 0 {
		t.Error("the list of an unknown authority counts")
	}
}

func TestCompromisedKeysProveNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"})
	s, _ := announce(t, i, i, specimen.Announcement{Kind: trust.AACompromised, Signer: i.DS()})
	v := verify(t, evidenceOf(t, d, []byte("8 octets")), s, mrtd.VerifyOptions{AAChallenge: []byte("8 octets")})
	if v.Genuine || v.ChipAuthentic || v.Find("chip.aa").Result != mrtd.Skipped {
		explain(t, v)
		t.Error("a compromised key proves the chip")
	}
	without, _ := announce(t, i, i)
	if without.Digest() == s.Digest() {
		t.Error("the store's digest does not cover deviation lists")
	}
}

// A root vouches for its document signers as well: none of them may sign a list.
func TestOnlySignersOfListsSignLists(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	root, err := cms.ParseCertificate(i.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	opts := trust.Options{Roots: []*cms.Certificate{root}, RequireSignedLists: true}
	good, err1 := i.MasterList(now())
	bad, err2 := i.MasterListBySigner(now())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if _, _, err := trust.Load([]trust.Source{{Name: "ml", Data: good}}, opts); err != nil {
		t.Error(err)
	}
	if _, _, err := trust.Load([]trust.Source{{Name: "ml", Data: bad}}, opts); !errors.Is(err, trust.ErrListSignerUsage) {
		t.Errorf("a list signed by a document signer: %v", err)
	}
	// A signer of deviation lists that was revoked announces nothing.
	dl, err := i.DeviationList(now(), specimen.Announcement{Kind: trust.DGHashWrong, Group: 12})
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.ParseSignedData(dl)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Revoke(sd.Certificates[0]); err != nil {
		t.Fatal(err)
	}
	crl, err := i.CRL(now())
	if err != nil {
		t.Fatal(err)
	}
	_, reports, err := trust.Load([]trust.Source{{Name: "dl", Data: dl}, {Name: "csca", Data: i.CSCA()}, {Name: "crl", Data: crl}}, trust.Options{})
	if err != nil || reports[0].KnownDeviations != 0 || len(reports[0].Refused) != 1 || !strings.Contains(reports[0].Refused[0].Reason, "revoked") {
		t.Errorf("%v %+v", err, reports)
	}
}

// A state whose authority is vouched for from abroad alone announces nothing.
func TestAnnouncementsByWayOfAnotherStateCountForNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	foreign, err := specimen.NewIssuer(specimen.IssuerConfig{Country: "VN", CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	link, err1 := foreign.LinkTo(i, now())
	dl, err2 := i.DeviationList(now(), specimen.Announcement{Kind: trust.DGHashWrong, Group: 12})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		anchor []byte
		want   int
	}{{foreign.CSCA(), 0}, {i.CSCA(), 1}} {
		_, reports, err := trust.Load([]trust.Source{{Name: "dl", Data: dl}, {Name: "link", Data: link}, {Name: "csca", Data: c.anchor}}, trust.Options{})
		if err != nil || reports[0].KnownDeviations != c.want || len(reports[0].Refused) != 1-c.want {
			t.Errorf("%v %+v", err, reports[0])
		}
	}
}
