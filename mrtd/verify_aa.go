package mrtd

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

var (
	errAASignature = errors.New("active authentication: the signature is wrong")
	errAAChallenge = errors.New("active authentication: the challenge is not of eight octets")
)

const oidActiveAuthentication = "2.23.136.1.1.5" // id-icao-mrtd-security-aaProtocolObject

// verifyAA checks an active authentication transcript with the key of DG15
// (ICAO 9303-11 §6.1) and says how.
func verifyAA(dg15, dg14 []byte, t *AATranscript) (string, []deviation.Deviation, error) {
	if len(t.Challenge) != 8 {
		return "", nil, errAAChallenge
	}
	key, ds, err := lds.ParseDG15(dg15)
	if err != nil {
		return "", nil, err
	}
	switch key.Kind {
	case cms.KeyRSA, cms.KeyRSAPSS:
		hash, err := verifyISO9796(key.RSA(), t.Challenge, t.Response)
		if err != nil {
			return "", nil, err
		}
		return fmt.Sprintf("RSA %d, ISO/IEC 9796-2 with %s", key.Bits, hash), ds, nil
	case cms.KeyEC:
		return verifyECDSA(key, dg14, t, ds)
	case cms.KeyDSA, cms.KeyUnknown:
	}
	return "", nil, fmt.Errorf("active authentication with %s: %w", key, cms.ErrUnsupported)
}

// verifyECDSA checks a plain or DER signature. The hash is the one that DG14
// announces; where it announces none, each of the permitted ones is tried.
func verifyECDSA(key *cms.PublicKey, dg14 []byte, t *AATranscript, ds []deviation.Deviation) (string, []deviation.Deviation, error) {
	candidates := []crypto.Hash{crypto.SHA256, crypto.SHA1, crypto.SHA384, crypto.SHA512, crypto.SHA224}
	if h := announcedHash(dg14); h != 0 {
		candidates = []crypto.Hash{h}
	}
	for _, h := range candidates {
		out, err := key.Verify(cms.SignatureAlgorithm{Scheme: cms.ECDSAPlain, Hash: h}, 0, t.Challenge, t.Response)
		if err != nil {
			continue
		}
		if len(t.Response) != 2*((key.Bits+7)/8) {
			ds = append(ds, deviation.Deviation{Code: deviation.AADERSignature})
		}
		return fmt.Sprintf("ECDSA %s with %s", key.Curve, out.Hash), ds, nil
	}
	return "", nil, errAASignature
}

// announcedHash reads ActiveAuthenticationInfo of DG14 (9303-11 §9.2.4).
func announcedHash(dg14 []byte) crypto.Hash {
	var found crypto.Hash
	eachSecurityInfo(dg14, func(oid string, rest *tlv.Reader) {
		if oid != oidActiveAuthentication {
			return
		}
		if _, err := rest.Expect(tlv.Integer); err != nil {
			return
		}
		id, err := rest.Expect(tlv.OID)
		if err != nil {
			return
		}
		if algorithm, err := id.ObjectIdentifier(); err == nil {
			found = plainECDSAHash(algorithm)
		}
	})
	return found
}

func plainECDSAHash(oid string) crypto.Hash {
	switch oid {
	case "0.4.0.127.0.7.1.1.4.1.1":
		return crypto.SHA1
	case "0.4.0.127.0.7.1.1.4.1.2":
		return crypto.SHA224
	case "0.4.0.127.0.7.1.1.4.1.3":
		return crypto.SHA256
	case "0.4.0.127.0.7.1.1.4.1.4":
		return crypto.SHA384
	case "0.4.0.127.0.7.1.1.4.1.5":
		return crypto.SHA512
	}
	return 0
}

// eachSecurityInfo visits the SecurityInfos of DG14; what cannot be read ends
// the visit.
func eachSecurityInfo(dg14 []byte, visit func(oid string, rest *tlv.Reader)) {
	b, _, err := lds.Content(lds.DG14, dg14)
	if err != nil {
		return
	}
	set, _, err := tlv.ParsePrefix(b)
	if err != nil {
		return
	}
	for r := set.Reader(); !r.Empty(); {
		info, err := r.Next()
		if err != nil {
			return
		}
		fields := info.Reader()
		id, err := fields.Expect(tlv.OID)
		if err != nil {
			continue
		}
		if oid, err := id.ObjectIdentifier(); err == nil {
			visit(oid, fields)
		}
	}
}

// verifyISO9796 checks a signature of ISO/IEC 9796-2 scheme 1 with partial
// message recovery over M1 || challenge (9303-11 §6.1.2.2). Public values only.
func verifyISO9796(key *rsa.PublicKey, challenge, sig []byte) (crypto.Hash, error) {
	size := (key.N.BitLen() + 7) / 8
	s := new(big.Int).SetBytes(sig)
	if len(sig) != size || s.Cmp(key.N) >= 0 {
		return 0, errAASignature
	}
	m := new(big.Int).Exp(s, big.NewInt(int64(key.E)), key.N)
	if m.Bit(0) != 0 || m.Bit(1) != 0 || m.Bit(2) != 1 || m.Bit(3) != 1 { // the last nibble is C
		m.Sub(key.N, m)
	}
	f := m.FillBytes(make([]byte, size))
	hash, trailer := trailerHash(f)
	if hash == 0 {
		return 0, errAASignature
	}
	// The header 01 1 0 ... 1010: partial recovery, then the end of the padding.
	start := 0
	if f[0] == 0x6B { // padding octets BB up to one that ends in A
		for start = 1; start < len(f) && f[start] == 0xBB; {
			start++
		}
	}
	end := len(f) - trailer - hash.Size()
	if f[0]&0xF0 != 0x60 || start >= end || f[start]&0x0F != 0x0A || start > 0 && f[start] != 0xBA {
		return 0, errAASignature
	}
	h := hash.New()
	h.Write(f[start+1 : end])
	h.Write(challenge)
	if !bytes.Equal(h.Sum(nil), f[end:end+hash.Size()]) {
		return 0, errAASignature
	}
	return hash, nil
}

// trailerHash reads the trailer: BC for SHA-1, or a hash identifier of ISO/IEC
// 10118-3 and CC.
func trailerHash(f []byte) (hash crypto.Hash, size int) {
	if len(f) < 3 {
		return 0, 0
	}
	switch f[len(f)-1] {
	case 0xBC:
		return crypto.SHA1, 1
	case 0xCC:
		switch f[len(f)-2] {
		case 0x33:
			return crypto.SHA1, 2
		case 0x34:
			return crypto.SHA256, 2
		case 0x35:
			return crypto.SHA512, 2
		case 0x36:
			return crypto.SHA384, 2
		case 0x38:
			return crypto.SHA224, 2
		}
	}
	return 0, 0
}
