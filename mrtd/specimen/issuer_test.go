package specimen

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

func at() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func jpegLike() []byte {
	return append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte{0x55}, 300)...)
}

func newTestIssuer(t *testing.T, alg Algorithm) *Issuer {
	t.Helper()
	i, err := NewIssuer(IssuerConfig{CSCA: alg, DS: alg, Rand: rand.Reader, Now: at()})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// OpenSSL is an independent reader: it must verify our security objects, master
// lists, certificates and revocation lists.
func TestOpenSSLAcceptsWhatTheIssuerSigns(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	for _, alg := range []Algorithm{"rsa-2048-sha256", "rsapss-2048-sha384", "ecdsa-P-256-sha256", "ecdsa-P-521-sha512",
		"ecdsa-brainpoolP256r1-sha256", "ecdsa-brainpoolP512r1-sha512"} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			i := newTestIssuer(t, alg)
			doc, err := i.Issue(DocumentConfig{Portrait: jpegLike(), AA: "ecdsa-P-256-sha256"})
			if err != nil {
				t.Fatal(err)
			}
			sod, _, err := lds.Content(lds.SOD, doc.Files[lds.SOD])
			if err != nil {
				t.Fatal(err)
			}
			list, err := i.MasterList(at())
			if err != nil {
				t.Fatal(err)
			}
			crl, err := i.CRL(at())
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for name, b := range map[string][]byte{"sod": sod, "list": list, "csca": i.CSCA(), "crl": crl} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{
				{"cms", "-verify", "-noverify", "-inform", "DER", "-in", "sod", "-out", "content"},
				{"cms", "-verify", "-noverify", "-inform", "DER", "-in", "list", "-out", "content"},
				{"x509", "-inform", "DER", "-in", "csca", "-noout", "-text"},
				{"x509", "-inform", "DER", "-in", "csca", "-out", "csca.pem"},
				{"crl", "-inform", "DER", "-in", "crl", "-noout", "-CAfile", "csca.pem"},
				{"verify", "-CAfile", "csca.pem", "-check_ss_sig", "-no_check_time", "csca.pem"},
			} {
				cmd := exec.Command(openssl, args...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("openssl %v: %v\n%s", args[0], err, out)
				}
			}
		})
	}
}

func TestDocumentAndIssuerSurviveStorage(t *testing.T) {
	t.Parallel()
	for _, alg := range []Algorithm{"ecdsa-brainpoolP256r1-sha256", "rsa-2048-sha256"} {
		i := newTestIssuer(t, alg)
		pace := &PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}
		doc, err := i.Issue(DocumentConfig{Portrait: jpegLike(), AA: alg, CAN: "123456", Access: AccessConfig{BAC: true, PACE: pace},
			CA: []CAConfig{{Curve: "brainpoolP256r1"}, {Curve: "P-256", KeyID: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		files := fstest.MapFS{}
		write := func(name string, b []byte) error { files["d/"+name] = &fstest.MapFile{Data: b}; return nil }
		if err := errors.Join(doc.Save(write), i.Save(write)); err != nil {
			t.Fatal(err)
		}
		got, err := LoadDocument(files, "d")
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Files) != len(doc.Files) || !bytes.Equal(got.Files[lds.SOD], doc.Files[lds.SOD]) || got.MRZ != doc.MRZ ||
			got.Access.PACE == nil || *got.Access.PACE != *pace || len(got.CAKeys) != 2 || !bytes.Equal(got.AAKey, doc.AAKey) {
			t.Error("the document changed in storage")
		}
		again, err := LoadIssuer(files, "d", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.CSCA(), i.CSCA()) {
			t.Error("the issuer changed in storage")
		}
		if _, err := again.Issue(DocumentConfig{Portrait: jpegLike()}); err != nil {
			t.Errorf("a stored issuer cannot issue: %v", err)
		}
	}
	if _, err := LoadIssuer(fstest.MapFS{}, "d", rand.Reader); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no issuer: %v", err)
	}
}

func TestCertificatesFollowTheProfile(t *testing.T) {
	t.Parallel()
	i := newTestIssuer(t, "ecdsa-brainpoolP384r1-sha384")
	csca, err := cms.ParseCertificate(i.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	ds, err := cms.ParseCertificate(i.DS())
	if err != nil {
		t.Fatal(err)
	}
	if d := append(csca.AuthorityProfile(), ds.SignerProfile()...); len(d) != 0 {
		t.Errorf("departs from the profile: %v", d)
	}
	if _, err := ds.CheckSignedBy(csca.Key); err != nil {
		t.Error(err)
	}
	if csca.Country() != "UT" || !ds.ValidAt(at()) || ds.PrivateKeyUsage == nil || !ds.PrivateKeyUsage.Contains(at()) || len(ds.DocumentTypes) != 2 {
		t.Error("names, dates or document types are wrong")
	}
}

// Curves written out are what most of the world's authorities do: they read as
// the known curve, without the deviation of naming it, and OpenSSL prints them.
func TestCurvesCanBeWrittenOut(t *testing.T) {
	t.Parallel()
	for _, alg := range []Algorithm{"ecdsa-P-256-sha256", "ecdsa-brainpoolP384r1-sha384", "ecdsa-P-521-sha512"} {
		i, err := NewIssuer(IssuerConfig{CSCA: alg, DS: alg, ExplicitCurves: true, Rand: rand.Reader, Now: at()})
		if err != nil {
			t.Fatal(err)
		}
		for _, der := range [][]byte{i.CSCA(), i.DS()} {
			c, err := cms.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Deviations) != 0 || c.Key.Kind != cms.KeyEC {
				t.Errorf("%s: %v, %v", alg, c.Key, c.Deviations)
			}
		}
		openssl, err := exec.LookPath("openssl")
		if err != nil {
			t.Skip("openssl is not installed")
		}
		cmd := exec.Command(openssl, "x509", "-inform", "DER", "-noout", "-text")
		cmd.Stdin = bytes.NewReader(i.CSCA())
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Field Type: prime-field")) {
			t.Errorf("openssl x509: %v\n%s", err, out)
		}
	}
}

func TestDG14ListsKeysAndPACE(t *testing.T) {
	t.Parallel()
	i := newTestIssuer(t, "ecdsa-P-256-sha256")
	doc, err := i.Issue(DocumentConfig{Portrait: jpegLike(), CA: []CAConfig{{Curve: "brainpoolP256r1"}},
		Access: AccessConfig{PACE: &PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}}})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := lds.Content(lds.DG14, doc.Files[lds.DG14])
	if err != nil {
		t.Fatal(err)
	}
	set, err := tlv.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	infos, err := set.Children()
	if err != nil || len(infos) != 3 { // PACEInfo, ChipAuthenticationInfo, ChipAuthenticationPublicKeyInfo
		t.Errorf("%d security infos, %v", len(infos), err)
	}
	if doc.Files[lds.CardAccess] == nil || len(doc.CAKeys) != 1 || doc.CAKeys[0].KeyID != -1 {
		t.Error("EF.CardAccess or the chip's key is missing")
	}
}

func TestImpossibleSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, cfg := range []IssuerConfig{{}, {Rand: rand.Reader}, {Now: at()}, {Rand: rand.Reader, Now: at(), Country: "UTO"}} {
		if _, err := NewIssuer(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", cfg.Country, err)
		}
	}
	for _, alg := range []Algorithm{"rsa", "rsa-512-sha256", "ecdsa-P-257-sha256", "ecdsa-P-256-md5", "dsa-1024-sha1"} {
		if _, err := alg.parse(); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v", alg, err)
		}
	}
	i := newTestIssuer(t, "ecdsa-P-256-sha256")
	if _, err := i.Issue(DocumentConfig{}); !errors.Is(err, ErrConfig) {
		t.Errorf("no portrait: %v", err)
	}
}
