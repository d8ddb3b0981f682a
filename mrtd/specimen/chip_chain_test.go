package specimen

import (
	"bytes"
	"testing"

	"ipse/mrtd/internal/apdu"
)

// TestChainsOfCommands: what belongs together is taken together, and nothing else.
func TestChainsOfCommands(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{CA: []CAConfig{{Curve: "dh-2"}}})
	x.sm = nil
	raw := func(cla, ins, p1 byte, n int) apdu.Status {
		return x.raw(&apdu.Command{CLA: cla, INS: ins, P1: p1, P2: 0xA4, Data: bytes.Repeat([]byte{1}, n)}).SW
	}
	for name, step := range map[string]struct {
		cla, ins, p1 byte
		n            int
		want         apdu.Status
	}{
		"SELECT":                 {apdu.Chained, apdu.Select, 0x04, 7, apdu.ChainingNotSupported},
		"READ BINARY":            {apdu.Chained, apdu.ReadBinary, 0x81, 0, apdu.ChainingNotSupported},
		"MSE, begun":             {apdu.Chained, apdu.ManageSecurity, 0x41, 200, apdu.OK},
		"GENERAL AUTHENTICATE":   {apdu.Chained, apdu.GeneralAuthenticate, 0, 200, apdu.WrongData}, // no protocol is under way
		"MSE whose data are bad": {0, apdu.ManageSecurity, 0x41, 20, apdu.WrongData},
	} {
		x.chip.Reset()
		if sw := raw(step.cla, step.ins, step.p1, step.n); sw != step.want {
			t.Errorf("%s: %v", name, sw)
		}
	}
	x.chip.Reset()
	for i := range maxChain / 200 {
		if sw := raw(apdu.Chained, apdu.ManageSecurity, 0x41, 200); sw != apdu.OK {
			t.Fatalf("part %d: %v", i, sw)
		}
	}
	if sw := raw(apdu.Chained, apdu.ManageSecurity, 0x41, 200); sw != apdu.WrongLength {
		t.Errorf("an endless chain: %v", sw)
	}
	for _, other := range []apdu.Command{{INS: apdu.ManageSecurity, P1: 0xC1, P2: 0xA4}, {INS: apdu.Select, P1: 0x04, P2: 0xA4}} {
		raw(apdu.Chained, apdu.ManageSecurity, 0x41, 20)
		if sw := x.raw(&other).SW; sw != apdu.ChainOpen {
			t.Errorf("another command within a chain: %v", sw)
		}
	}
	if sw := x.raw(&apdu.Command{INS: apdu.GetResponse, Ne: 256}).SW; sw != apdu.ConditionsOfUse {
		t.Errorf("GET RESPONSE with nothing left: %v", sw)
	}
}

// TestLongAnswersComeInParts: each part is as long as GET RESPONSE asks for, the last
// has the status, and another command drops the rest.
func TestLongAnswersComeInParts(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{AA: "rsa-3072-sha256"})
	ask := func() *apdu.Response {
		p, err := x.sm.Protect(&apdu.Command{INS: apdu.InternalAuthenticate, Data: make([]byte, 8), Ne: apdu.MaxShortNe})
		if err != nil {
			t.Fatal(err)
		}
		return x.raw(p)
	}
	r := ask()
	all := r.Data
	for ne := 256; r.SW>>8 == 0x61; ne = 100 {
		if len(r.Data) == 0 || len(r.Data) > 256 {
			t.Fatalf("a part of %d octets", len(r.Data))
		}
		r = x.raw(&apdu.Command{INS: apdu.GetResponse, Ne: ne})
		all = append(all, r.Data...)
	}
	plain, err := x.sm.Unprotect(&apdu.Response{Data: all, SW: r.SW})
	if err != nil || plain.SW != apdu.OK || len(plain.Data) != 384 {
		t.Fatalf("%v", err)
	}
	if r = ask(); r.SW>>8 != 0x61 {
		t.Fatalf("%v", r.SW)
	}
	x.raw(&apdu.Command{INS: apdu.Select, P1: 4, P2: 0x0C, Data: aid()})
	if sw := x.raw(&apdu.Command{INS: apdu.GetResponse, Ne: 256}).SW; sw != apdu.ConditionsOfUse {
		t.Errorf("the rest after another command: %v", sw)
	}
}
