package cms

import (
	"crypto"
	"errors"
	"testing"

	"ipse/mrtd/tlv"
)

// TestPSSParametersHaveTheirDefaults of RFC 4055 §3.1, and impossible ones are refused.
func TestPSSParametersHaveTheirDefaults(t *testing.T) {
	t.Parallel()
	field := func(n int, v []byte) []byte { return tlv.Encode(tlv.ContextConstructed(n), v) }
	mgf := func(oid string, hash []byte) []byte { return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), hash) }
	sha256, sha512 := id(HashOID(crypto.SHA256)), id(HashOID(crypto.SHA512))
	for name, c := range map[string]struct {
		parameters []byte // nil for none
		want       SignatureAlgorithm
		refused    error
	}{
		"none":                {nil, SignatureAlgorithm{Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}, nil},
		"NULL":                {tlv.Encode(tlv.Null), SignatureAlgorithm{Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}, nil},
		"empty":               {tlv.Encode(tlv.Sequence), SignatureAlgorithm{Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}, nil},
		"all":                 {tlv.Encode(tlv.Sequence, field(0, sha256), field(1, mgf(oidMGF1, sha512)), field(2, tlv.EncodeInt(33)), field(3, tlv.EncodeInt(1))), SignatureAlgorithm{Hash: crypto.SHA256, MGFHash: crypto.SHA512, SaltLength: 33}, nil},
		"hash alone":          {tlv.Encode(tlv.Sequence, field(0, sha256)), SignatureAlgorithm{Hash: crypto.SHA256, MGFHash: crypto.SHA1, SaltLength: 20}, nil},
		"unknown hash":        {tlv.Encode(tlv.Sequence, field(0, id("1.2.3"))), SignatureAlgorithm{}, ErrUnsupported},
		"another mask":        {tlv.Encode(tlv.Sequence, field(1, mgf("1.2.3", sha256))), SignatureAlgorithm{}, ErrUnsupported},
		"unknown mask's hash": {tlv.Encode(tlv.Sequence, field(1, mgf(oidMGF1, id("1.2.3")))), SignatureAlgorithm{}, ErrUnsupported},
		"another trailer":     {tlv.Encode(tlv.Sequence, field(3, tlv.EncodeInt(2))), SignatureAlgorithm{}, ErrUnsupported},
		"negative salt":       {tlv.Encode(tlv.Sequence, field(2, tlv.EncodeInt(-1))), SignatureAlgorithm{}, ErrMalformed},
		"endless salt":        {tlv.Encode(tlv.Sequence, field(2, tlv.EncodeInt(513))), SignatureAlgorithm{}, ErrMalformed},
		"a field of its own":  {tlv.Encode(tlv.Sequence, field(4, tlv.EncodeInt(1))), SignatureAlgorithm{}, tlv.ErrUnwanted},
		"no sequence":         {tlv.EncodeInt(1), SignatureAlgorithm{}, tlv.ErrTruncated},
	} {
		e, err := tlv.Parse(tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidPSS), c.parameters))
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseSignatureAlgorithm(e)
		if !errors.Is(err, c.refused) || c.refused == nil && (err != nil || got.Scheme != RSAPSS || got.Hash != c.want.Hash || got.MGFHash != c.want.MGFHash || got.SaltLength != c.want.SaltLength) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestTextOfEveryStringType: names of states come in all of them.
func TestTextOfEveryStringType(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]tlv.Element{
		"Zürich": {Tag: tlv.UTF8String, Value: []byte("Z\u00fcrich")},
		"Bern":   {Tag: tlv.PrintableString, Value: []byte("Bern")},
		"Köln":   {Tag: 0x14, Value: []byte("K\xf6ln")}, // T61String, in fact Latin-1
		"Αθήνα":  {Tag: tlv.BMPString, Value: []byte{0x03, 0x91, 0x03, 0xB8, 0x03, 0xAE, 0x03, 0xBD, 0x03, 0xB1}},
		"A":      {Tag: tlv.BMPString, Value: []byte{0, 'A', 0}}, // half a character is left out
	} {
		if got := decodeText(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestStrengthFollowsNIST SP 800-57-1 table 2.
func TestStrengthFollowsNIST(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     KeyKind
		bits     int
		strength int
		name     string
	}{{KeyRSA, 512, 0, "RSA 512"}, {KeyRSA, 1024, 80, "RSA 1024"}, {KeyRSAPSS, 2048, 112, "RSA 2048"}, {KeyRSA, 3072, 128, "RSA 3072"}, {KeyRSA, 4096, 128, "RSA 4096"},
		{KeyRSA, 7680, 192, "RSA 7680"}, {KeyRSA, 15360, 256, "RSA 15360"}, {KeyEC, 256, 128, "EC curve"}, {KeyEC, 521, 260, "EC curve"}, {KeyDSA, 1024, 80, "DSA"}, {KeyUnknown, 0, 0, "unknown"}} {
		k := &PublicKey{Kind: c.kind, Bits: c.bits, Curve: "curve"}
		if k.Strength() != c.strength || k.String() != c.name {
			t.Errorf("%v %d: %d, %s", c.kind, c.bits, k.Strength(), k)
		}
	}
}
