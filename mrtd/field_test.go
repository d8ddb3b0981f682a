package mrtd_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// fieldCase is one departure that documents or certificates in circulation show.
type fieldCase struct {
	ds     specimen.Algorithm
	cfg    specimen.DocumentConfig
	code   deviation.Code
	refuse map[deviation.Policy]bool // policies under which it is refused
}

func fault(name string) specimen.DocumentConfig {
	return specimen.DocumentConfig{Faults: map[string]bool{name: true}}
}

func fieldCases() map[string]fieldCase {
	const rsa, pss, ec = specimen.Algorithm("rsa-2048-sha256"), specimen.Algorithm("rsapss-2048-sha256"), specimen.Algorithm("ecdsa-P-256-sha256")
	strict := map[deviation.Policy]bool{deviation.Strict: true}
	all := map[deviation.Policy]bool{}
	lenient := map[deviation.Policy]bool{deviation.Strict: true, deviation.ICAO: true}
	person := []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA<MARIA"}}
	text := func(name string) specimen.DocumentConfig {
		c := fault(name)
		c.Person = person
		return c
	}
	aa := fault(specimen.FaultTrailingDG14)
	aa.AA = ec
	jp2k := specimen.DocumentConfig{Portrait: append([]byte{0xFF, 0x4F, 0xFF, 0x51}, bytes.Repeat([]byte{7}, 200)...)}
	return map[string]fieldCase{
		"RSA without NULL":                            {rsa, fault(specimen.FaultNoNull), deviation.CertRSANoNull, strict},
		"negative serial number":                      {ec, fault(specimen.FaultNegativeSerial), deviation.CertSerialNegative, strict},
		"invalid basic constraints":                   {ec, fault(specimen.FaultBasicConstraints), deviation.CertBasicConstraints, strict},
		"the advertised curve is not the one used":    {ec, fault(specimen.FaultCurveMislabelled), deviation.CertCurveMislabelled, lenient},
		"no authority key identifier":                 {ec, fault(specimen.FaultNoAKI), deviation.CertNoAuthorityKeyID, strict},
		"lower-case country code":                     {ec, fault(specimen.FaultCountryCase), deviation.CertCountryCase, strict},
		"authority key identifier of another key":     {ec, fault(specimen.FaultOtherAKI), deviation.ChainKeyID, strict},
		"issuer's name in another form":               {ec, fault(specimen.FaultIssuerForm), deviation.ChainNameForm, strict},
		"issuer found by its key alone":               {ec, fault(specimen.FaultIssuerName), deviation.ChainNoIssuerMatch, lenient},
		"PSS with an unexpected salt length":          {pss, fault(specimen.FaultPSSParameters), deviation.SODPSSParameters, strict},
		"PSS document signer, PKCS#1 security object": {pss, fault(specimen.FaultSchemeDiffers), deviation.SODSchemeDiffers, strict},
		"digest SHA-512 with sha256WithRSA":           {rsa, fault(specimen.FaultDigestDiffers), deviation.SODDigestDiffers, strict},
		"data groups hashed with another function":    {ec, specimen.DocumentConfig{Hash: crypto.SHA384}, deviation.SODHashDiffers, all},
		"SHA-224": {"ecdsa-P-224-sha224", specimen.DocumentConfig{Hash: crypto.SHA224}, "", all},
		"SHA-1":   {"rsa-2048-sha1", specimen.DocumentConfig{Hash: crypto.SHA1}, deviation.SODWeakHash, strict},
		"signer identifier of another certificate":      {ec, fault(specimen.FaultWrongIssuerID), deviation.SODSignerID, strict},
		"indefinite lengths":                            {ec, fault(specimen.FaultIndefinite), deviation.SODIndefinite, strict},
		"content type id-data":                          {ec, fault(specimen.FaultContentType), deviation.SODContentType, strict},
		"content type 1.3.27.1.1.1":                     {ec, fault(specimen.FaultOldICAO), deviation.SODContentType, strict},
		"content type of Sdu":                           {ec, fault(specimen.FaultSdu), deviation.SODContentType, strict},
		"content type that nobody knows":                {ec, fault(specimen.FaultTypeUnknown), deviation.SODContentTypeAlien, lenient},
		"no signed attributes":                          {ec, fault(specimen.FaultNoSignedAttrs), deviation.SODNoSignedAttrs, strict},
		"ECDSA signature r||s":                          {ec, fault(specimen.FaultPlainECDSA), deviation.SODPlainECDSA, strict},
		"two signers, the first unknown":                {ec, fault(specimen.FaultTwoSigners), deviation.SODManySigners, strict},
		"signer identified by its key":                  {ec, fault(specimen.FaultSignerByKey), "", all},
		"a signer of master lists signs":                {ec, fault(specimen.FaultListSigner), deviation.CertKeyUsage, lenient},
		"raw JPEG 2000 codestream":                      {ec, jp2k, "", all},
		"octets after DG14":                             {ec, aa, deviation.FileTrailing, strict},
		"facial record's length off by eight":           {ec, fault(specimen.FaultDG2Length), deviation.DG2RecordLength, strict},
		"packed date":                                   {ec, text(specimen.FaultBCDDate), deviation.TextBCDDate, strict},
		"empty string":                                  {ec, text(specimen.FaultEmpty), deviation.TextEmpty, strict},
		"filler text":                                   {ec, text(specimen.FaultFiller), deviation.TextFiller, strict},
		"Latin-1 without a mark":                        {ec, text(specimen.FaultLatin1), deviation.TextEncoding, strict},
		"security object's algorithm is not the DS's":   {pss, specimen.DocumentConfig{}, "", all}, // a PSS signature with an rsaEncryption key
		"a visible name with every policy: named curve": {ec, specimen.DocumentConfig{}, deviation.CertNamedCurve, all},
	}
}

// What documents in circulation show is survived, named, and refused by the policies
// that say so; nothing else refuses the document.
func TestDeparturesOfTheFieldAreNamedAndJudged(t *testing.T) {
	t.Parallel()
	for name, c := range fieldCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, "ecdsa-P-256-sha256", c.ds)
			ev := evidenceOf(t, issue(t, i, c.cfg), []byte("8 octets"))
			s := storeOf(t, i)
			for _, policy := range []deviation.Policy{deviation.Strict, deviation.ICAO, deviation.Lenient} {
				v := verify(t, ev, s, mrtd.VerifyOptions{Policy: policy})
				if !v.PassiveAuthentication || v.Genuine == c.refuse[policy] || c.code != "" && !named(v, c.code) {
					explain(t, v)
					t.Fatalf("policy %s: genuine %v, %v", policy, v.Genuine, v.Deviations)
				}
				if c.code == "" && slices.ContainsFunc(v.Deviations, func(d deviation.Deviation) bool { return d.Code != deviation.CertNamedCurve }) {
					t.Errorf("deviations %v", v.Deviations)
				}
			}
		})
	}
}

// Authorities that share a subject key identifier or a name are told apart by their
// signatures.
func TestAuthoritiesThatLookAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	var sources []trust.Source
	var issuers []*specimen.Issuer
	for _, alg := range []specimen.Algorithm{"ecdsa-P-256-sha256", "ecdsa-brainpoolP256r1-sha256", "rsa-2048-sha256", "ecdsa-P-256-sha256", "ecdsa-P-384-sha384"} {
		i := newIssuer(t, alg, alg) // the same country and name, another key
		issuers = append(issuers, i)
		sources = append(sources, trust.Source{Name: string(alg), Data: i.CSCA()})
	}
	s, _, err := trust.Load(sources, trust.Options{})
	if err != nil || s.Len() != len(issuers) {
		t.Fatal(err)
	}
	for n, i := range issuers {
		for _, faults := range []map[string]bool{nil, {specimen.FaultNoAKI: true}} { // 98 certificates have no key identifier to go by
			v := verify(t, evidenceOf(t, issue(t, i, specimen.DocumentConfig{Faults: faults}), nil), s, mrtd.VerifyOptions{})
			if !v.Genuine || v.Chain[len(v.Chain)-1].Source != sources[n].Name {
				explain(t, v)
				t.Errorf("authority %d", n)
			}
		}
	}
}

// A document of a country that is on no list is refused, and said so.
func TestCountriesOnNoListAreNamed(t *testing.T) {
	t.Parallel()
	absent, err := specimen.NewIssuer(specimen.IssuerConfig{Country: "VN", CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	d := issue(t, absent, specimen.DocumentConfig{Zone: mrz.Fields{IssuingState: "VNM", Nationality: "VNM"}})
	v := verify(t, evidenceOf(t, d, nil), storeOf(t, newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")), mrtd.VerifyOptions{})
	if c := v.Find("chain.signature"); v.Genuine || c.Result != mrtd.Failed || c.Detail != "no trusted authority of VN has the issuer's name or key" {
		explain(t, v)
		t.Error("not named")
	}
}

// A new authority is trusted through the link that the old one signed; a link that
// leads nowhere is passed over and named, or said to be why.
func TestLinkCertificatesLeadToTheAnchor(t *testing.T) {
	t.Parallel()
	old := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	next, link, err := old.Successor(now())
	if err != nil {
		t.Fatal(err)
	}
	third, second, err := next.Successor(now())
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(link)
	broken[len(broken)-1] ^= 1
	for name, c := range map[string]struct {
		issuer  *specimen.Issuer
		sources [][]byte
		want    bool
		length  int
		detail  string
		code    deviation.Code
	}{
		"one link":                  {next, [][]byte{old.CSCA(), link}, true, 3, "", ""},
		"two links":                 {third, [][]byte{second, link, old.CSCA()}, true, 4, "", ""},
		"the new anchor is listed":  {next, [][]byte{next.CSCA(), link, old.CSCA()}, true, 2, "", ""},
		"broken, new anchor listed": {next, [][]byte{broken, next.CSCA()}, true, 2, "", ""},
		"broken":                    {next, [][]byte{old.CSCA(), broken}, false, 0, "leads to no trusted authority", ""},
		"no anchor behind the link": {third, [][]byte{second, link}, false, 0, "leads to no trusted authority", ""},
		"one of two ways is broken": {third, [][]byte{old.CSCA(), broken, link, second}, true, 4, "", deviation.LinkBroken},
	} {
		var sources []trust.Source
		for _, der := range c.sources {
			sources = append(sources, trust.Source{Name: "list", Data: der})
		}
		s, _, err := trust.Load(sources, trust.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v := verify(t, evidenceOf(t, issue(t, c.issuer, specimen.DocumentConfig{}), nil), s, mrtd.VerifyOptions{})
		if v.Genuine != c.want || c.want && len(v.Chain) != c.length || !strings.Contains(v.Find("chain.signature").Detail, c.detail) || c.code != "" && !named(v, c.code) {
			explain(t, v)
			t.Errorf("%s", name)
		}
	}
}

// A link that its authority revoked is no way any more.
func TestRevokedLinksRefuseTheDocument(t *testing.T) {
	t.Parallel()
	old := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	next, link, err := old.Successor(now())
	if err != nil {
		t.Fatal(err)
	}
	ev := evidenceOf(t, issue(t, next, specimen.DocumentConfig{}), nil)
	for _, want := range []mrtd.Result{mrtd.Passed, mrtd.Failed} {
		if want == mrtd.Failed {
			if err := old.Revoke(link); err != nil {
				t.Fatal(err)
			}
		}
		crl, err := old.CRL(now())
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := trust.Load([]trust.Source{{Name: "csca", Data: old.CSCA()}, {Name: "link", Data: link}, {Name: "crl", Data: crl}}, trust.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v := verify(t, ev, s, mrtd.VerifyOptions{})
		if c := v.Find("revocation.link"); c == nil || c.Result != want || v.Genuine != (want == mrtd.Passed) {
			explain(t, v)
			t.Errorf("not %s", want)
		}
	}
}

// Signing after the private key's own period is named, and refused under strict.
func TestPrivateKeyUsagePeriodIsChecked(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256") // its signer's key is for three months
	for months, late := range map[int]bool{1: false, 5: true} {
		at := now().AddDate(0, months, 0)
		ev := evidenceOf(t, issue(t, i, specimen.DocumentConfig{At: at}), nil)
		for policy, want := range map[deviation.Policy]bool{deviation.Strict: !late, deviation.ICAO: true} {
			v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{Now: at, Policy: policy})
			if named(v, deviation.ChainUsagePeriod) != late || v.Genuine != want {
				explain(t, v)
				t.Errorf("signed after %d months, policy %s", months, policy)
			}
		}
	}
}

// So is certifying after the authority's own.
func TestUsagePeriodOfTheAuthorityIsChecked(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256") // its authority's key is for five years
	for years, late := range map[int]bool{4: false, 6: true} {
		cfg := fault(specimen.FaultNoAKI) // has a signer of its own, certified the day before
		cfg.At = now().AddDate(years, 0, 0)
		v := verify(t, evidenceOf(t, issue(t, i, cfg), nil), storeFrom(t, i.CSCA()), mrtd.VerifyOptions{Now: cfg.At})
		want := deviation.Deviation{Code: deviation.ChainUsagePeriod, Where: "CSCA certificate"}
		if slices.Contains(v.Deviations, want) != late || !v.Genuine {
			explain(t, v)
			t.Errorf("certified after %d years: %v", years, v.Deviations)
		}
	}
}

// A signer that is not enclosed is found in the store; several certificates may be
// enclosed; EF.COM may be unreadable.
func TestSignersAreFoundWhereverTheyAre(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	s, _, err := trust.Load([]trust.Source{{Name: "csca", Data: i.CSCA()}, {Name: "ds", Data: i.DS()}}, trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := verify(t, evidenceOf(t, issue(t, i, fault(specimen.FaultNoDSInSOD)), nil), s, mrtd.VerifyOptions{})
	if !v.Genuine || !named(v, deviation.SODNoCertificate) {
		explain(t, v)
		t.Error("not enclosed")
	}
	byKey := specimen.DocumentConfig{Faults: map[string]bool{specimen.FaultNoDSInSOD: true, specimen.FaultSignerByKey: true}}
	if v = verify(t, evidenceOf(t, issue(t, i, byKey), nil), s, mrtd.VerifyOptions{}); !v.Genuine || !named(v, deviation.SODNoCertificate) {
		explain(t, v)
		t.Error("not enclosed, identified by its key")
	}
	if v = verify(t, evidenceOf(t, issue(t, i, byKey), nil), storeOf(t, i), mrtd.VerifyOptions{}); v.Genuine || v.Find("sod.signature").Result != mrtd.Failed {
		explain(t, v)
		t.Error("found nowhere")
	}
	v = verify(t, evidenceOf(t, issue(t, i, fault(specimen.FaultManyCertificates)), nil), s, mrtd.VerifyOptions{})
	if !v.Genuine || !named(v, deviation.SODManyCertificates) {
		explain(t, v)
		t.Error("several enclosed")
	}
	ev := evidenceOf(t, issue(t, i, specimen.DocumentConfig{}), nil)
	ev.Files[lds.COM] = pii.NewBytes([]byte{0x60})
	if v := verify(t, ev, s, mrtd.VerifyOptions{}); !v.Genuine || !named(v, deviation.COMMissing) {
		explain(t, v)
		t.Error("EF.COM")
	}
}

// One state's authority that vouches for another state's is named, and believed under
// the most tolerant policy alone; an anchor of the state's own is preferred.
func TestOneStateDoesNotVouchForAnother(t *testing.T) {
	t.Parallel()
	at := func(country string) *specimen.Issuer {
		i, err := specimen.NewIssuer(specimen.IssuerConfig{Country: country, CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	claimed, foreign := at("UT"), at("VN")
	link, err := foreign.LinkTo(claimed, now())
	if err != nil {
		t.Fatal(err)
	}
	ev := evidenceOf(t, issue(t, claimed, specimen.DocumentConfig{}), nil)
	for _, c := range []struct {
		policy  deviation.Policy
		sources [][]byte
		want    bool
	}{
		{deviation.ICAO, [][]byte{foreign.CSCA(), link}, false},
		{deviation.Lenient, [][]byte{foreign.CSCA(), link}, true},
		{deviation.Strict, [][]byte{foreign.CSCA(), link, claimed.CSCA()}, true},
	} {
		s := storeFrom(t, c.sources...)
		v := verify(t, ev, s, mrtd.VerifyOptions{Policy: c.policy})
		if v.Genuine != c.want || named(v, deviation.ChainLinkCountry) != (len(c.sources) == 2) {
			explain(t, v)
			t.Errorf("policy %s, %d sources: genuine %v", c.policy, len(c.sources), v.Genuine)
		}
	}
}

func storeFrom(t *testing.T, sources ...[]byte) *trust.Store {
	t.Helper()
	var list []trust.Source
	for _, der := range sources {
		list = append(list, trust.Source{Name: "list", Data: der})
	}
	s, _, err := trust.Load(list, trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A revocation list counts only where a trusted key of the issuer signed it: a link
// certificate that anybody could have made does not make its key trusted.
func TestListsOfUntrustedKeysDoNotCount(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	stranger, link, err := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256").Successor(now()) // the same name, no anchor behind it
	if err != nil {
		t.Fatal(err)
	}
	empty, err1 := stranger.CRL(now())
	own, err2 := i.CRL(now())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	ev := evidenceOf(t, issue(t, i, specimen.DocumentConfig{}), nil)
	for _, c := range []struct {
		crl  []byte
		want mrtd.Result
	}{{empty, mrtd.Failed}, {own, mrtd.Passed}} {
		v := verify(t, ev, storeFrom(t, i.CSCA(), link, c.crl), mrtd.VerifyOptions{RequireCRL: true})
		if got := v.Find("revocation.signer"); got.Result != c.want {
			explain(t, v)
			t.Errorf("%s: %s", got.Result, got.Detail)
		}
	}
	next, good, err := i.Successor(now())
	if err != nil {
		t.Fatal(err)
	}
	crl, err := next.CRL(now())
	if err != nil {
		t.Fatal(err)
	}
	v := verify(t, ev, storeFrom(t, i.CSCA(), good, crl), mrtd.VerifyOptions{RequireCRL: true})
	if v.Find("revocation.signer").Result != mrtd.Passed {
		explain(t, v)
		t.Error("the list of a linked key does not count")
	}
}

// Dates: of the authority when it certified the signer, and of the whole chain now. A
// chain that ended is tolerated with the document that ended before it.
func TestDatesOfTheChainAreChecked(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	before := fault(specimen.FaultNoAKI) // has a signer of its own, certified the day before
	before.At = now().AddDate(-1, 0, 0)
	good := specimen.DocumentConfig{}
	for name, c := range map[string]struct {
		cfg   specimen.DocumentConfig
		opts  mrtd.VerifyOptions
		check string
		want  mrtd.Result
		why   string
	}{
		"certified before the authority":   {before, mrtd.VerifyOptions{}, "validity.authority_at_issuance", mrtd.Failed, "not valid when it certified"},
		"certified by a valid authority":   {good, mrtd.VerifyOptions{}, "validity.authority_at_issuance", mrtd.Passed, "was valid"},
		"judged before its time":           {good, mrtd.VerifyOptions{Now: now().AddDate(0, 0, -3)}, "validity.now", mrtd.Failed, "document signer is not valid before"},
		"judged before, expired tolerated": {good, mrtd.VerifyOptions{Now: now().AddDate(0, 0, -3), AllowExpired: true}, "validity.now", mrtd.Failed, "not valid before"},
		"judged after the signer":          {good, mrtd.VerifyOptions{Now: now().AddDate(11, 0, 0)}, "validity.now", mrtd.Failed, "document signer ended"},
		"after it, expired tolerated":      {good, mrtd.VerifyOptions{Now: now().AddDate(11, 0, 0), AllowExpired: true}, "validity.now", mrtd.NotOffered, "document signer ended"},
		"judged in time":                   {good, mrtd.VerifyOptions{}, "validity.now", mrtd.Passed, "every certificate"},
	} {
		v := verify(t, evidenceOf(t, issue(t, i, c.cfg), nil), storeFrom(t, i.CSCA()), c.opts)
		got := v.Find(c.check)
		if got.Result != c.want || !strings.Contains(got.Detail, c.why) || v.Genuine != (c.want != mrtd.Failed) {
			explain(t, v)
			t.Errorf("%s: %s, %s", name, got.Result, got.Detail)
		}
		if v.Signature.LDSVersion != "0108" {
			t.Errorf("%s: LDS version %q", name, v.Signature.LDSVersion)
		}
	}
}

// Whatever fails of passive authentication, the verdict says nothing of the holder, and
// no proof of the chip counts: it would be that of a key that nobody signed.
func TestUnsignedDataSayNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	for _, name := range []string{specimen.FaultTamperedDG1, specimen.FaultTamperedDG2, specimen.FaultTamperedSOD, specimen.FaultForeignCSCA, specimen.FaultSwappedDG15} {
		cfg := fault(name)
		cfg.AA, cfg.Person, cfg.Issue = "ecdsa-P-256-sha256", []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA"}}, []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}}
		v := verify(t, evidenceOf(t, issue(t, i, cfg), []byte("8 octets")), storeOf(t, i), mrtd.VerifyOptions{AAChallenge: []byte("8 octets")})
		if v.Genuine || v.PassiveAuthentication || v.ChipAuthentic || v.Freshness != "" || v.Document != nil || v.Portrait != nil || v.Details != nil || v.Issue != nil {
			explain(t, v)
			t.Errorf("%s: %+v", name, v)
		}
		for _, id := range []string{"chip.aa", "chip.ca", "chip.authentic", "access.parameters"} {
			if c := v.Find(id); c == nil || c.Result != mrtd.Skipped {
				t.Errorf("%s: %s is %+v", name, id, c)
			}
		}
	}
}
