package specimen

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// FuzzChip: whatever commands come, the chip answers each with a status and
// reveals no octet of a protected file to who never opened it.
func FuzzChip(f *testing.F) {
	i, err := NewIssuer(IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: at()})
	if err != nil {
		f.Fatal(err)
	}
	pace := paceOf(6, 2, 12)
	doc, err := i.Issue(DocumentConfig{Portrait: jpegLike(), AA: "ecdsa-P-256-sha256", CAN: "123456", Access: AccessConfig{BAC: true, PACE: &pace}})
	if err != nil {
		f.Fatal(err)
	}
	script := func(commands ...*apdu.Command) []byte {
		var out []byte
		for _, c := range commands {
			b, err := c.Encode()
			if err != nil {
				f.Fatal(err)
			}
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(b))), b...)
		}
		return out
	}
	set := append(tlv.Encode(0x80, tlv.EncodeOID(pace.Protocol)[2:]), tlv.Encode(0x83, []byte{2})...)
	f.Add(script(&apdu.Command{INS: apdu.Select, P1: 4, P2: 0x0C, Data: aid()}, &apdu.Command{INS: apdu.GetChallenge, Ne: 8},
		&apdu.Command{INS: apdu.ExternalAuthenticate, Data: make([]byte, 40), Ne: 40}, &apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 256}))
	f.Add(script(&apdu.Command{INS: apdu.ReadBinary, P1: 0x9C, Ne: 256}, &apdu.Command{INS: apdu.ManageSecurity, P1: 0xC1, P2: 0xA4, Data: set},
		&apdu.Command{CLA: 0x10, INS: apdu.GeneralAuthenticate, Data: []byte{0x7C, 0}, Ne: 256},
		&apdu.Command{CLA: 0x10, INS: apdu.GeneralAuthenticate, Data: tlv.Encode(0x7C, tlv.Encode(0x81, make([]byte, 65))), Ne: 256}))
	f.Add(script(&apdu.Command{INS: apdu.ReadBinaryOdd, P2: 1, Data: []byte{0x54, 1, 0}, Ne: 100}, &apdu.Command{CLA: 0x0C, INS: apdu.Select}))
	f.Add(script(&apdu.Command{CLA: apdu.Chained, INS: apdu.ManageSecurity, P1: 0x41, P2: 0xA6, Data: make([]byte, 200)}, &apdu.Command{INS: apdu.ManageSecurity, P1: 0x41, P2: 0xA6},
		&apdu.Command{INS: apdu.GetResponse, Ne: 256}))
	secret := [][]byte{doc.Files[lds.DG1][5:25], doc.Files[lds.SOD][40:60], jpegLike()[200:220]}
	f.Fuzz(func(t *testing.T, in []byte) {
		chip, err := NewChip(doc, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; len(in) >= 2 && n < 64; n++ {
			size := min(int(binary.BigEndian.Uint16(in)), len(in)-2)
			answer, err := chip.Transmit(t.Context(), in[2:2+size])
			in = in[2+size:]
			if err != nil || len(answer) < 2 {
				t.Fatalf("no status: %v", err)
			}
			for _, s := range secret {
				if bytes.Contains(answer, s) {
					t.Fatal("a protected file in clear")
				}
			}
		}
	})
}
