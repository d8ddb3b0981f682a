package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// refuseSignature places a refusal in the signature, whose octets count from 0.
func refuseSignature(err error) error { return tlv.Refuse("signature", "9303-12 4.1.6", err) }

// hashes lists the hash functions to try: the algorithm's own, then the fallback.
func hashes(own, fallback crypto.Hash) []crypto.Hash {
	switch {
	case own == 0 && fallback == 0:
		return nil
	case own == 0:
		return []crypto.Hash{fallback}
	case fallback == 0 || fallback == own:
		return []crypto.Hash{own}
	}
	return []crypto.Hash{own, fallback}
}

func (k *PublicKey) verifyRSA(a SignatureAlgorithm, fallback crypto.Hash, message, sig []byte) (Outcome, error) {
	out := Outcome{Scheme: a.Scheme}
	if a.Scheme == RSAPSS {
		return k.verifyRSAPSS(a, fallback, message, sig)
	}
	if k.Kind == KeyRSAPSS { // RFC 4055 §1.2: such a key is for PSS alone
		out.Deviations = append(out.Deviations, deviation.Deviation{Code: deviation.SODSchemeDiffers})
	}
	for i, h := range hashes(a.Hash, fallback) {
		if rsa.VerifyPKCS1v15(k.rsa, h, sum(h, message), sig) == nil {
			out.Scheme, out.Hash = RSAPKCS1, h
			if i > 0 {
				out.Deviations = append(out.Deviations, deviation.Deviation{Code: deviation.SODDigestDiffers})
			}
			return out, nil
		}
	}
	return Outcome{}, refuseSignature(fmt.Errorf("%s: %w", a, ErrSignature))
}

// verifyRSAPSS tries the declared parameters first, then any salt length, then
// the signer's digest algorithm for hash and mask (Italian documents declare
// other parameters than they sign with).
func (k *PublicKey) verifyRSAPSS(a SignatureAlgorithm, fallback crypto.Hash, message, sig []byte) (Outcome, error) {
	digest := sum(a.Hash, message)
	if a.Hash == a.MGFHash && rsa.VerifyPSS(k.rsa, a.Hash, digest, sig, &rsa.PSSOptions{SaltLength: a.SaltLength, Hash: a.Hash}) == nil {
		return Outcome{Scheme: RSAPSS, Hash: a.Hash}, nil
	}
	if a.Hash != a.MGFHash {
		if _, err := verifyPSS(k.rsa, a.Hash, a.MGFHash, digest, sig, a.SaltLength); err == nil {
			return Outcome{Scheme: RSAPSS, Hash: a.Hash}, nil
		}
	}
	departed := []deviation.Deviation{{Code: deviation.SODPSSParameters}}
	for _, h := range hashes(a.Hash, fallback) {
		for _, mgf := range hashes(a.MGFHash, h) {
			if _, err := verifyPSS(k.rsa, h, mgf, sum(h, message), sig, -1); err == nil {
				return Outcome{Scheme: RSAPSS, Hash: h, Deviations: departed}, nil
			}
		}
	}
	return Outcome{}, refuseSignature(fmt.Errorf("%s: %w", a, ErrSignature))
}

func (k *PublicKey) verifyECDSA(a SignatureAlgorithm, fallback crypto.Hash, message, sig []byte) (Outcome, error) {
	r, s, plain, err := k.splitECDSA(a.Scheme, sig)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Scheme: ECDSA}
	if plain {
		out.Deviations = append(out.Deviations, deviation.Deviation{Code: deviation.SODPlainECDSA})
	}
	for i, h := range hashes(a.Hash, fallback) {
		if k.verifyRS(sum(h, message), r, s) {
			out.Hash = h
			if i > 0 {
				out.Deviations = append(out.Deviations, deviation.Deviation{Code: deviation.SODDigestDiffers})
			}
			return out, nil
		}
	}
	return Outcome{}, refuseSignature(fmt.Errorf("%s: %w", a, ErrSignature))
}

// splitECDSA reads a signature as SEQUENCE { r, s } or, for the plain scheme and
// for signers that forgot the structure, as r||s of equal halves.
func (k *PublicKey) splitECDSA(scheme Scheme, sig []byte) (r, s []byte, plain bool, err error) {
	if scheme != ECDSAPlain {
		if r, s, err = splitDER(sig); err == nil {
			return r, s, false, nil
		}
	}
	size := (k.Bits + 7) / 8
	if len(sig) == 2*size {
		return sig[:size], sig[size:], true, nil
	}
	if scheme == ECDSAPlain {
		if r, s, err = splitDER(sig); err == nil {
			return r, s, true, nil
		}
	}
	return nil, nil, false, refuseSignature(fmt.Errorf("ECDSA encoding: %w", ErrSignature))
}

func splitDER(sig []byte) (r, s []byte, err error) {
	e, err := tlv.Parse(sig)
	if err != nil {
		return nil, nil, err
	}
	if e.Tag != tlv.Sequence {
		return nil, nil, e.Err(tlv.ErrUnwanted)
	}
	rd := e.Reader()
	rInt, err := rd.Expect(tlv.Integer)
	if err != nil {
		return nil, nil, err
	}
	sInt, err := rd.Expect(tlv.Integer)
	if err != nil {
		return nil, nil, err
	}
	return trimZeros(rInt.Value), trimZeros(sInt.Value), rd.Done()
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

func (k *PublicKey) verifyRS(digest, r, s []byte) bool {
	if k.nist != nil {
		sig := tlv.Encode(tlv.Sequence, unsignedInteger(r), unsignedInteger(s))
		return ecdsa.VerifyASN1(k.nist, digest, sig)
	}
	return k.other != nil && k.other.Verify(digest, r, s)
}

func unsignedInteger(b []byte) []byte {
	b = trimZeros(b)
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return tlv.Encode(tlv.Integer, b)
}
