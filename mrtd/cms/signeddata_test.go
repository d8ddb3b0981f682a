package cms

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// recipe makes signed data as real issuers do, departures included.
type recipe struct {
	key        crypto.Signer
	cert       *Certificate
	digest     crypto.Hash // of the content and named as digestAlgorithm
	signHash   crypto.Hash // used by the signature; default digest
	algorithm  []byte      // AlgorithmIdentifier of the signature
	pss        bool
	noAttrs    bool
	unsorted   bool // attributes sent in reverse of DER's order, signed in DER's
	plain      bool // ECDSA signature r||s
	attrType   string
	twoDigests bool
	content    []byte
	version    int         // default 3
	listed     crypto.Hash // in digestAlgorithms; default digest
	signers    int         // how often the signer is there; default once
	after      []byte      // octets behind the whole
}

func id(oid string, params ...[]byte) []byte {
	return tlv.Encode(tlv.Sequence, append([][]byte{tlv.EncodeOID(oid)}, params...)...)
}

func (r recipe) sign(t testing.TB, message []byte) []byte {
	t.Helper()
	var opts crypto.SignerOpts = r.signHash
	if r.pss {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: r.signHash}
	}
	sig, err := r.key.Sign(rand.Reader, sum(r.signHash, message), opts)
	if err != nil {
		t.Fatal(err)
	}
	if !r.plain {
		return sig
	}
	a, b, err := splitDER(sig)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	copy(out[32-len(a):], a)
	copy(out[64-len(b):], b)
	return out
}

func (r recipe) build(t testing.TB) *SignedData {
	t.Helper()
	if r.signHash == 0 {
		r.signHash = r.digest
	}
	if r.content == nil {
		r.content = []byte{0x30, 0x03, 0x02, 0x01, 0x05}
	}
	const contentType = "2.23.136.1.1.1"
	attrType := contentType
	if r.attrType != "" {
		attrType = r.attrType
	}
	attr := func(oid string, v []byte) []byte {
		return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.Set, v))
	}
	attrs := [][]byte{attr(oidContentType, tlv.EncodeOID(attrType)), attr(oidMessageDigest, tlv.Encode(tlv.OctetString, sum(r.digest, r.content)))}
	if r.twoDigests {
		attrs = append(attrs, attr(oidMessageDigest, tlv.Encode(tlv.OctetString, sum(r.digest, []byte("other")))))
	}
	slices.SortFunc(attrs, bytes.Compare)
	signed, message := [][]byte{}, r.content
	if !r.noAttrs {
		message = tlv.Encode(tlv.Set, attrs...)
		sent := slices.Clone(attrs)
		if r.unsorted {
			slices.Reverse(sent)
		}
		signed = append(signed, tlv.Encode(tlv.ContextConstructed(0), sent...))
	}
	info := [][]byte{tlv.EncodeInt(1), tlv.Encode(tlv.Sequence, r.cert.Issuer.Raw, tlv.Encode(tlv.Integer, r.cert.Serial)), id(HashOID(r.digest))}
	info = append(info, signed...)
	info = append(info, r.algorithm, tlv.Encode(tlv.OctetString, r.sign(t, message)))
	signer := bytes.Repeat(tlv.Encode(tlv.Sequence, info...), cmp.Or(r.signers, 1))
	der := tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidSignedData), tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.Sequence,
		tlv.EncodeInt(cmp.Or(r.version, 3)), tlv.Encode(tlv.Set, id(HashOID(cmp.Or(r.listed, r.digest)))),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(contentType), tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.OctetString, r.content))),
		tlv.Encode(tlv.ContextConstructed(0), r.cert.Raw), tlv.Encode(tlv.Set, signer))))
	sd, err := ParseSignedData(append(der, r.after...))
	if err != nil {
		if r.twoDigests {
			return nil
		}
		t.Fatal(err)
	}
	return sd
}

// Each departure that field reports name verifies and is named.
func TestDeparturesOfRealSignersVerifyAndAreNamed(t *testing.T) {
	t.Parallel()
	rsaKey := rsaKeyFor(t)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaCert, ecCert := selfSigned(t, rsaKey, x509.SHA256WithRSA), selfSigned(t, ecKey, x509.ECDSAWithSHA256)
	pssKey := *rsaCert.Key
	pssKey.Kind = KeyRSAPSS
	pssCert := *rsaCert
	pssCert.Key = &pssKey
	null := tlv.Encode(tlv.Null)
	sha256RSA, ecdsa256 := id("1.2.840.113549.1.1.11", null), id("1.2.840.10045.4.3.2")
	for name, c := range map[string]struct {
		r    recipe
		want deviation.Code
	}{
		"as the standard asks, RSA":                 {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA256, algorithm: sha256RSA}, ""},
		"as the standard asks, ECDSA":               {recipe{key: ecKey, cert: ecCert, digest: crypto.SHA256, algorithm: ecdsa256}, ""},
		"digest SHA-512 with sha256WithRSA":         {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA512, signHash: crypto.SHA256, algorithm: sha256RSA}, deviation.SODDigestDiffers},
		"announced SHA-256, signed with the digest": {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA512, algorithm: sha256RSA}, deviation.SODDigestDiffers},
		"algorithm rsaEncryption":                   {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA256, algorithm: id(oidRSA, null)}, deviation.SODGenericAlgorithm},
		"key for PSS, signature PKCS#1":             {recipe{key: rsaKey, cert: &pssCert, digest: crypto.SHA256, algorithm: sha256RSA}, deviation.SODSchemeDiffers},
		"PSS with default parameters announced":     {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA256, algorithm: id(oidPSS), pss: true}, deviation.SODPSSParameters},
		"without signed attributes":                 {recipe{key: ecKey, cert: ecCert, digest: crypto.SHA256, algorithm: ecdsa256, noAttrs: true}, deviation.SODNoSignedAttrs},
		"attributes sent unsorted":                  {recipe{key: ecKey, cert: ecCert, digest: crypto.SHA256, algorithm: ecdsa256, unsorted: true}, deviation.SODAttrsOrder},
		"content type attribute differs":            {recipe{key: ecKey, cert: ecCert, digest: crypto.SHA256, algorithm: ecdsa256, attrType: "1.2.840.113549.1.7.1"}, deviation.SODAttrType},
		"ECDSA signature r||s":                      {recipe{key: ecKey, cert: ecCert, digest: crypto.SHA256, algorithm: ecdsa256, plain: true}, deviation.SODPlainECDSA},
		"SHA-1":                                     {recipe{key: rsaKey, cert: rsaCert, digest: crypto.SHA1, algorithm: id("1.2.840.113549.1.1.5", null)}, deviation.SODWeakHash},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sd := c.r.build(t)
			out, err := sd.Verify(&sd.Signers[0], c.r.cert)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" && len(out.Deviations) != 0 || c.want != "" && !has(out.Deviations, c.want) {
				t.Errorf("deviations %v, want %s", out.Deviations, c.want)
			}
			sd.Content = append(bytes.Clone(sd.Content), 0)
			if _, err := sd.Verify(&sd.Signers[0], c.r.cert); !errors.Is(err, ErrDigest) && !errors.Is(err, ErrSignature) {
				t.Errorf("other content verified: %v", err)
			}
		})
	}
}

func TestAttacksOnSignedDataAreRefused(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := selfSigned(t, key, x509.ECDSAWithSHA256)
	base := recipe{key: key, cert: cert, digest: crypto.SHA256, algorithm: id("1.2.840.10045.4.3.2")}

	// Somebody's signed attributes replayed as content without attributes.
	replay := base
	replay.noAttrs, replay.content = true, tlv.Encode(tlv.Set, []byte{0x30, 0x00})
	sd := replay.build(t)
	if _, err := sd.Verify(&sd.Signers[0], cert); !errors.Is(err, ErrMalformed) {
		t.Errorf("attributes as content: %v", err)
	}
	two := base
	two.twoDigests = true
	if two.build(t) != nil {
		t.Error("two message digests were accepted")
	}
	// An algorithm of the other kind than the key.
	other := base.build(t)
	other.Signers[0].Algorithm = SignatureAlgorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}
	if _, err := other.Verify(&other.Signers[0], cert); !errors.Is(err, ErrUnsupported) {
		t.Errorf("RSA with an EC key: %v", err)
	}
	// A point off the curve.
	spki := bytes.Clone(cert.RawKey)
	spki[len(spki)-1] ^= 1
	if _, _, err := ParsePublicKey(spki); !errors.Is(err, ErrKey) {
		t.Errorf("a point off the curve: %v", err)
	}
	// A tiny modulus.
	tiny := tlv.Encode(tlv.Sequence, id(oidRSA, tlv.Encode(tlv.Null)), tlv.Encode(tlv.BitString, []byte{0},
		tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Integer, append([]byte{0}, bytes.Repeat([]byte{0xC1}, 64)...)), tlv.EncodeInt(65537))))
	if _, _, err := ParsePublicKey(tiny); !errors.Is(err, ErrKey) {
		t.Errorf("RSA of 512 bits: %v", err)
	}
}

func TestRevocationListsAreReadAndSearched(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := selfSigned(t, key, x509.ECDSAWithSHA256)
	std, err := x509.ParseCertificate(issuer.Raw)
	if err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: issuer.SerialNumber(), ThisUpdate: when, NextUpdate: when.AddDate(0, 3, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: issuer.SerialNumber(), RevocationTime: when}}}, std, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.CheckSignedBy(issuer.Key); err != nil {
		t.Error(err)
	}
	if at, ok := l.Revoked([]byte{0, 77}); !ok || !at.Equal(when) || l.Len() != 1 || !l.NextUpdate.Equal(when.AddDate(0, 3, 0)) {
		t.Error("the revoked serial number is not found")
	}
	if _, ok := l.Revoked([]byte{78}); ok {
		t.Error("another serial number is revoked")
	}
	l.RawTBS[len(l.RawTBS)-1] ^= 1
	if _, err := l.CheckSignedBy(issuer.Key); !errors.Is(err, ErrSignature) {
		t.Errorf("a changed list: %v", err)
	}
}
