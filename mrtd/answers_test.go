package mrtd_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
)

// TestAnswersOfTheWrongFormAreRefused: a right signature over a challenge of another
// length, by another hash than DG14 announces, or by a number beyond the modulus.
func TestAnswersOfTheWrongFormAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store := storeOf(t, i)
	p256 := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"})
	p384 := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-384-sha384"})
	rsa := issue(t, i, specimen.DocumentConfig{AA: "rsa-1024-sha256"})
	good, long := []byte("8 octets"), []byte("9 octets.")
	key, _, err := lds.ParseDG15(rsa.Files[lds.DG15])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		doc       *specimen.Document
		challenge []byte
		response  []byte
		want      bool
	}{
		"as it should be":            {p256, good, answer(t, p256, good), true},
		"nine octets":                {p256, long, answer(t, p256, long), false},
		"no challenge":               {p256, []byte{}, answer(t, p256, nil), false},
		"SHA-256, announced SHA-384": {p384, good, answer(t, p384, good), false},
		"RSA":                        {rsa, good, answer(t, rsa, good), true},
		"an octet in front":          {rsa, good, append([]byte{0}, answer(t, rsa, good)...), false},
		"RSA, nine octets":           {rsa, long, answer(t, rsa, long), false},
	} {
		ev := evidenceOf(t, c.doc, nil)
		ev.Session.AA = &mrtd.AATranscript{Challenge: c.challenge, Response: c.response}
		if v := verify(t, ev, store, mrtd.VerifyOptions{}); v.Genuine != c.want || v.ChipAuthentic != c.want {
			explain(t, v)
			t.Errorf("%s: %v", name, v.ChipAuthentic)
		}
	}
	for n := range 100 { // the same number modulo N, where the octets have room for it
		challenge := binary.BigEndian.AppendUint64(nil, uint64(n))
		response := answer(t, rsa, challenge)
		beyond := new(big.Int).Add(new(big.Int).SetBytes(response), key.RSA().N)
		if beyond.BitLen() > 8*len(response) {
			continue
		}
		ev := evidenceOf(t, rsa, nil)
		ev.Session.AA = &mrtd.AATranscript{Challenge: challenge, Response: beyond.FillBytes(response)}
		if v := verify(t, ev, store, mrtd.VerifyOptions{}); v.Genuine {
			t.Error("a number beyond the modulus was accepted")
		}
		break
	}
}
