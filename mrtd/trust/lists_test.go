package trust

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func root(t testing.TB, name string) *cms.Certificate {
	t.Helper()
	c, err := cms.ParseCertificate(read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The two public lists of testdata/README.md: every certificate loads, and the
// supplied root vouches for the list's signer.
func TestPublicMasterListsLoadCompletely(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, root string
		want       int
	}{{"DE_ML_2026-05-28.ml", "DE_CSCA07.cer", 588}, {"NL_ML_2026-07-22.ml", "NL_root.cer", 411}} {
		t.Run(c.list, func(t *testing.T) {
			t.Parallel()
			store, reports, err := Load([]Source{{c.list, read(t, c.list)}}, Options{Roots: []*cms.Certificate{root(t, c.root)}, RequireSignedLists: true})
			if err != nil {
				t.Fatal(err)
			}
			r := reports[0]
			t.Logf("%+v countries %d", r, len(store.Countries()))
			if r.Certificates != c.want || r.Loaded+r.Duplicates != c.want || len(r.Refused) != 0 {
				t.Errorf("%d certificates, %d loaded, %d refused", r.Certificates, r.Loaded, len(r.Refused))
			}
			if !strings.HasPrefix(r.Signature, "verified") {
				t.Errorf("signature: %s", r.Signature)
			}
		})
	}
}

func TestBrokenLinksOfTheGermanListAreNamed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("588 signature checks")
	}
	store, _, err := Load([]Source{{"de", read(t, "DE_ML_2026-05-28.ml")}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	verified, broken := store.AuditLinks()
	// Ten links are signed by none of the keys of their name; the key before two
	// more (Latvia, Hungary) is not on the list.
	wrong, absent := 0, 0
	for _, b := range broken {
		switch {
		case errors.Is(b.Reason, ErrNotCertified):
			wrong++
		case errors.Is(b.Reason, ErrNoAuthority):
			absent++
		}
		if b.Entry.Kind != Link {
			t.Errorf("an anchor of %s is not signed by itself", b.Entry.Cert.Country())
		}
	}
	if verified != 576 || wrong != 10 || absent != 2 {
		t.Errorf("%d verified, %d wrong, %d without predecessor", verified, wrong, absent)
	}
}

// What docs/verdict.md says of the German list is so.
func TestGermanListHoldsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	store, reports := load(t, Options{}, Source{"de", read(t, "DE_ML_2026-05-28.ml")})
	keysOf := func(index func(*cms.Certificate) string) (groups, several int) {
		keys := map[string]map[string]bool{}
		for _, e := range store.Authorities() {
			k := index(e.Cert)
			if keys[k] == nil {
				keys[k] = map[string]bool{}
			}
			keys[k][string(e.Cert.RawKey)] = true
		}
		for k, of := range keys {
			if k != "" && len(of) > 1 {
				several++
			}
		}
		return len(keys), several
	}
	names, shared := keysOf(func(c *cms.Certificate) string { return string(c.Subject.Raw) })
	_, identifiers := keysOf(func(c *cms.Certificate) string { return string(c.SubjectKeyID) })
	d := reports[0].Deviations
	t.Logf("%d names, %d with several keys, %d key identifiers of several keys, %v", names, shared, identifiers, d)
	explicit, unnamed := 0, 0
	for _, e := range store.Authorities() {
		if e.Cert.AuthorityKeyID == nil {
			unnamed++
		}
		if e.Cert.Key.Kind == cms.KeyEC && !slices.ContainsFunc(e.Cert.Deviations, func(d deviation.Deviation) bool { return d.Code == deviation.CertNamedCurve }) {
			explicit++
		}
	}
	if names != 244 || shared != 81 || identifiers != 2 || d[deviation.CertRSANoNull] == 0 || d[deviation.CertSerialNegative] == 0 || d[deviation.CertBasicConstraints] == 0 || explicit != 160 || unnamed != 98 {
		t.Errorf("%d names, %d shared, %d identifiers, %d explicit curves, %d without authority key identifier", names, shared, identifiers, explicit, unnamed)
	}
}

func load(t *testing.T, opts Options, sources ...Source) (*Store, []Report) {
	t.Helper()
	s, r, err := Load(sources, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func TestFormsAreToldApartAndDuplicatesCounted(t *testing.T) {
	t.Parallel()
	der := read(t, "DE_CSCA07.cer")
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	b64 := base64.StdEncoding.EncodeToString(der)
	var ldif strings.Builder
	ldif.WriteString("version: 1\n\ndn: cn=x,c=DE,dc=data,dc=download,dc=pkd,dc=icao,dc=int\nobjectClass: inetOrgPerson\nuserCertificate;binary:: ")
	for i := 0; i < len(b64); i += 76 { // folded as RFC 2849 has it
		if i > 0 {
			ldif.WriteString("\n ")
		}
		ldif.WriteString(b64[i:min(i+76, len(b64))])
	}
	ldif.WriteString("\nsn: 1\n")
	store, reports := load(t, Options{}, Source{"a", der}, Source{"b", asPEM}, Source{"c", []byte(ldif.String())})
	for i, form := range []string{"DER", "PEM", "LDIF"} {
		if reports[i].Form != form || reports[i].Certificates != 1 || reports[i].Duplicates != min(i, 1) {
			t.Errorf("%+v", reports[i])
		}
	}
	if store.Len() != 1 || store.Authorities()[0].Kind != Anchor || store.Countries()["DE"] != 1 {
		t.Error("the certificate is not an anchor of DE")
	}
	for name, bad := range map[string][]byte{"text": []byte("hello"), "empty": nil, "number": {2, 1, 1}} {
		if _, _, err := Load([]Source{{name, bad}}, Options{}); !errors.Is(err, ErrUnknownForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangedListsAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	list := read(t, "NL_ML_2026-07-22.ml")
	for _, at := range []int{len(list) / 2, len(list) - 10} {
		changed := bytes.Clone(list)
		changed[at] ^= 1
		if _, _, err := Load([]Source{{"nl", changed}}, Options{}); err == nil {
			t.Errorf("a list changed at %d was loaded", at)
		}
	}
	if _, _, err := Load([]Source{{"nl", list}}, Options{RequireSignedLists: true}); !errors.Is(err, ErrListSigner) {
		t.Errorf("nobody vouches for the signer: %v", err)
	}
	if _, _, err := Load([]Source{{"nl", list}}, Options{RequireSignedLists: true, Roots: []*cms.Certificate{root(t, "DE_CSCA07.cer")}}); !errors.Is(err, ErrListSigner) {
		t.Errorf("another state's root vouched: %v", err)
	}
}

func TestStrictPolicyRefusesDeviatingAuthoritiesAndSaysWhy(t *testing.T) {
	t.Parallel()
	_, reports := load(t, Options{Policy: deviation.Strict}, Source{"de", read(t, "DE_ML_2026-05-28.ml")})
	if n := len(reports[0].Refused); n == 0 || n > 200 {
		t.Errorf("%d refused", n)
	}
	for _, r := range reports[0].Refused {
		if !strings.Contains(r.Reason, "policy strict") {
			t.Errorf("no reason: %s", r.Reason)
		}
	}
}

func TestDigestDependsOnContentNotOnOrder(t *testing.T) {
	t.Parallel()
	a, b := Source{"a", read(t, "DE_CSCA07.cer")}, Source{"b", read(t, "NL_root.cer")}
	x, _ := load(t, Options{}, a, b)
	y, _ := load(t, Options{}, b, a)
	z, _ := load(t, Options{}, a)
	if x.Digest() != y.Digest() || x.Digest() == z.Digest() {
		t.Error("the digest does not identify the content")
	}
	live := NewLive(nil)
	if live.Get().Len() != 0 {
		t.Error("an empty live store trusts somebody")
	}
	live.Swap(x)
	if live.Get() != x {
		t.Error("swap did not take")
	}
}

// FuzzLoad: no source panics, and every certificate found is loaded, a
// duplicate or refused with a reason.
func FuzzLoad(f *testing.F) {
	f.Add(read(f, "DE_CSCA07.cer"))
	f.Add([]byte("version: 1\ndn: c=DE\nuserCertificate;binary:: MIIB\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add(read(f, "NL_ML_2026-07-22.ml")[:2048])
	f.Fuzz(func(t *testing.T, b []byte) {
		_, reports, err := Load([]Source{{"fuzz", b}}, Options{})
		if err != nil {
			return
		}
		r := reports[0]
		refused := 0
		for _, x := range r.Refused {
			if x.Reason == "" {
				t.Fatal("a refusal without a reason")
			}
			if x.What == "certificate" {
				refused++
			}
		}
		if r.Certificates != r.Loaded+r.Duplicates+refused {
			t.Fatalf("certificates went missing: %+v", r)
		}
	})
}
