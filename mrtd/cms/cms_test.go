package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"testing"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../trust/testdata/" + name) // provenance: README.md there
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func has(ds []deviation.Deviation, code deviation.Code) bool {
	for _, d := range ds {
		if d.Code == code {
			return true
		}
	}
	return false
}

// certificates returns every certificate of a master list.
func certificates(t testing.TB, list string) [][]byte {
	t.Helper()
	sd, err := ParseSignedData(testdata(t, list))
	if err != nil {
		t.Fatal(err)
	}
	content, err := tlv.Parse(sd.Content)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := content.Children()
	if err != nil {
		t.Fatal(err)
	}
	kids, err := parts[1].Children()
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]byte, len(kids))
	for i, k := range kids {
		out[i] = k.Raw
	}
	return out
}

// Where crypto/x509 reads a certificate, both readers must agree on it.
func TestAgreesWithTheStandardLibraryWhereThatReads(t *testing.T) {
	t.Parallel()
	both := 0
	for i, der := range certificates(t, "DE_ML_2026-05-28.ml") {
		want, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		both++
		got, err := ParseCertificate(der)
		if err != nil {
			t.Fatalf("certificate %d: %v", i, err)
		}
		if !got.NotBefore.Equal(want.NotBefore) || !got.NotAfter.Equal(want.NotAfter) || got.SerialNumber().Cmp(want.SerialNumber) != 0 ||
			!bytes.Equal(got.SubjectKeyID, want.SubjectKeyId) || !bytes.Equal(got.AuthorityKeyID, want.AuthorityKeyId) ||
			got.IsCA != want.IsCA || !bytes.Equal(got.RawTBS, want.RawTBSCertificate) || !bytes.Equal(got.Signature, want.Signature) {
			t.Errorf("certificate %d is read differently", i)
		}
	}
	if both < 400 {
		t.Errorf("only %d certificates compared", both)
	}
}

func TestExplicitParametersMustBeThoseOfAKnownCurve(t *testing.T) {
	t.Parallel()
	explicit := 0
	for _, der := range certificates(t, "DE_ML_2026-05-28.ml") {
		c, err := ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if c.Key.Kind != KeyEC || has(c.Deviations, deviation.CertNamedCurve) {
			continue
		}
		explicit++
		// Another generator, order or coefficient is another curve, on which an
		// attacker may know the discrete logarithm (CVE-2020-0601).
		curve, _ := c.Key.EC()
		_ = curve
		i := bytes.Index(der, []byte{0x04, 0x41, 0x04})
		if i < 0 || explicit > 20 {
			continue
		}
		forged := bytes.Clone(der)
		forged[i+10] ^= 1
		if _, err := ParseCertificate(forged); !errors.Is(err, ErrKey) {
			t.Errorf("a changed base point was accepted: %v", err)
		}
	}
	if explicit != 160 {
		t.Errorf("%d certificates with explicit parameters, want 160", explicit)
	}
}

// selfSigned makes certificates with the standard library, as an independent
// source of valid ones.
func selfSigned(t testing.TB, key crypto.Signer, alg x509.SignatureAlgorithm) *Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(77), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Test"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SignatureAlgorithm: alg, SubjectKeyId: []byte{1, 2, 3}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rsaKeyFor(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSignaturesOfEverySchemeVerifyAndNoChangeDoes(t *testing.T) {
	t.Parallel()
	rsaKey := rsaKeyFor(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key crypto.Signer
		alg x509.SignatureAlgorithm
	}{{rsaKey, x509.SHA256WithRSA}, {rsaKey, x509.SHA512WithRSAPSS}, {p384, x509.ECDSAWithSHA384}, {p384, x509.ECDSAWithSHA256}} {
		t.Run(c.alg.String(), func(t *testing.T) {
			t.Parallel()
			cert := selfSigned(t, c.key, c.alg)
			if _, err := cert.CheckSignedBy(cert.Key); err != nil {
				t.Fatal(err)
			}
			if ds := cert.AuthorityProfile(); len(ds) != 0 {
				t.Errorf("profile: %v", ds)
			}
			for _, part := range [][]byte{cert.RawTBS, cert.Signature} {
				for _, at := range []int{len(part) / 2, len(part) - 1} {
					part[at] ^= 0x10
					if _, err := cert.CheckSignedBy(cert.Key); !errors.Is(err, ErrSignature) {
						t.Errorf("a changed octet: %v", err)
					}
					part[at] ^= 0x10
				}
			}
		})
	}
}

func TestPSSWithOtherParametersThanDeclaredIsNamed(t *testing.T) {
	t.Parallel()
	key := rsaKeyFor(t)
	message := []byte("message")
	h := crypto.SHA256.New()
	h.Write(message)
	public := &PublicKey{Kind: KeyRSA, Bits: 2048, rsa: &key.PublicKey}
	for _, salt := range []int{0, 20, 32, 64} {
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, h.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		out, err := public.Verify(SignatureAlgorithm{Scheme: RSAPSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32}, 0, message, sig)
		if err != nil || has(out.Deviations, deviation.SODPSSParameters) != (salt != 32) {
			t.Errorf("salt %d: %v %v", salt, out.Deviations, err)
		}
		// A declared hash that is wrong, the signer's digest algorithm being right.
		out, err = public.Verify(SignatureAlgorithm{Scheme: RSAPSS, Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}, crypto.SHA256, message, sig)
		if err != nil || out.Hash != crypto.SHA256 || !has(out.Deviations, deviation.SODPSSParameters) {
			t.Errorf("salt %d with a wrong hash: %v %v", salt, out, err)
		}
		if _, err := public.Verify(SignatureAlgorithm{Scheme: RSAPSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32}, 0, []byte("massage"), sig); !errors.Is(err, ErrSignature) {
			t.Errorf("salt %d: another message: %v", salt, err)
		}
	}
}

func TestAlgorithmsAreMatchedWholeAndForbiddenOnesRefused(t *testing.T) {
	t.Parallel()
	for oid, want := range map[string]Scheme{"1.2.840.113549.1.1.11": RSAPKCS1, "1.2.3.11": SchemeUnknown, "1.2.840.113549.1.1.110": SchemeUnknown,
		"1.2.840.113549.1.1.4": SchemeUnknown, "1.2.840.10040.4.3": DSA} {
		if got, _ := signatureByOID(oid); got != want {
			t.Errorf("%s is %v", oid, got)
		}
	}
	key := &PublicKey{Kind: KeyDSA}
	if _, err := key.Verify(SignatureAlgorithm{Scheme: DSA}, 0, nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("DSA: %v", err)
	}
	if _, err := key.Verify(SignatureAlgorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}, 0, nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("RSA with another key: %v", err)
	}
}

func TestNamesCompareAsRFC5280Asks(t *testing.T) {
	t.Parallel()
	a := Name{Raw: []byte{1}, Attributes: []Attribute{{oidCountry, "de"}, {"2.5.4.10", "Some  Office"}}}
	b := Name{Raw: []byte{2}, Attributes: []Attribute{{oidCountry, "DE"}, {"2.5.4.10", " some office "}}}
	c := Name{Raw: []byte{3}, Attributes: []Attribute{{oidCountry, "DE"}, {"2.5.4.11", "some office"}}}
	if !a.Equal(b) || a.Equal(c) || a.Country() != "DE" || a.String() != "C=de, O=Some  Office" {
		t.Error("names compare or print wrongly")
	}
	if printable("a\x1b[2J\u202eb") != "a?[2J?b" {
		t.Error("a control character would reach a terminal")
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add(testdata(f, "DE_CSCA07.cer"))
	f.Add(testdata(f, "NL_root.cer"))
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			if c != nil {
				t.Fatal("an error and a certificate")
			}
			return
		}
		if c.Key == nil || !bytes.HasPrefix(der, c.Raw) || !bytes.Contains(c.Raw, c.RawTBS) {
			t.Fatal("a certificate outside its bytes")
		}
		again, err := ParseCertificate(c.Raw)
		if err != nil || !bytes.Equal(again.RawTBS, c.RawTBS) {
			t.Fatal("does not parse again")
		}
		_, _, _ = c.Subject.String(), c.Subject.Key(), c.AuthorityProfile()
		_, _ = c.CheckSignedBy(c.Key)
	})
}

func FuzzSignedData(f *testing.F) {
	ml := testdata(f, "NL_ML_2026-07-22.ml")
	f.Add(ml[:4096])
	f.Add([]byte{0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02, 0xA0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x03})
	signer, err := ParseCertificate(testdata(f, "DE_CSCA07.cer"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sd, err := ParseSignedData(b)
		if err != nil {
			return
		}
		if len(sd.Signers) == 0 || len(sd.Signers) > maxSigners {
			t.Fatal("signers out of bounds")
		}
		for i := range sd.Signers {
			if _, err := sd.Verify(&sd.Signers[i], signer); err == nil {
				t.Fatal("a forged signature verified")
			}
		}
	})
}

// FuzzCRL: every serial number that a list names is found in it, whatever else it says;
// it parses again to the same, and nobody else's key signed it.
func FuzzCRL(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	std, err := x509.ParseCertificate(selfSigned(f, key, x509.ECDSAWithSHA256).Raw)
	if err != nil {
		f.Fatal(err)
	}
	when := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(3), ThisUpdate: when, NextUpdate: when.AddDate(0, 3, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: when}, {SerialNumber: big.NewInt(1 << 40), RevocationTime: when}}}, std, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x30, 0x00})
	stranger, err := ParseCertificate(testdata(f, "DE_CSCA07.cer"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseCRL(b)
		if err != nil {
			return
		}
		for _, r := range l.revoked {
			if _, ok := l.Revoked(r.serial); !ok {
				t.Fatal("a listed serial number is not found")
			}
		}
		again, err := ParseCRL(l.Raw)
		if err != nil || again.Len() != l.Len() || !again.ThisUpdate.Equal(l.ThisUpdate) {
			t.Fatalf("does not parse again: %v", err)
		}
		if _, err := l.CheckSignedBy(stranger.Key); err == nil {
			t.Fatal("a forged signature verified")
		}
	})
}

func BenchmarkParseCertificate(b *testing.B) {
	der := testdata(b, "DE_CSCA07.cer")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	}
}
