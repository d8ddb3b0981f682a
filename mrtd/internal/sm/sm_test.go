package sm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"ipse/mrtd/internal/apdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s is %X, want %s", what, got, want)
	}
}

// TestAppendixD is the worked example of BAC and secure messaging of ICAO Doc
// 9303-11, appendix D, byte for byte, from both ends.
func TestAppendixD(t *testing.T) {
	t.Parallel()
	p, err := MRZPassword("L898902C<", "690806", "940623")
	if err != nil {
		t.Fatal(err)
	}
	enc, mac, err := p.BACKeys()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "K.enc", enc, "AB94FDECF2674FDFB9B391F85D7F76F2")
	same(t, "K.mac", mac, "7962D9ECE03D1ACD4C76089DCE131543")

	rndIC, rndIFD := unhex(t, "4608F91988702212"), unhex(t, "781723860C06C226")
	kIFD, kIC := unhex(t, "0B795240CB7049B01C19B33E32804F0B"), unhex(t, "0B4F80323EB3191CB04970CB4052790B")
	ifd := SealBAC(enc, mac, bytes.Join([][]byte{rndIFD, rndIC, kIFD}, nil))
	same(t, "E.IFD || M.IFD", ifd, "72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A7")
	ic := SealBAC(enc, mac, bytes.Join([][]byte{rndIC, rndIFD, kIC}, nil))
	same(t, "E.IC || M.IC", ic, "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449")
	if r, ok := OpenBAC(enc, mac, ic); !ok || !bytes.Equal(r[16:], kIC) {
		t.Error("the chip's cryptogram does not open")
	}

	reader, chip := NewBACSession(rndIFD, rndIC, kIFD, kIC), NewBACSession(rndIFD, rndIC, kIFD, kIC)
	same(t, "KS.enc", reader.encKey, "979EC13B1CBFE9DCD01AB0FED307EAE5")
	same(t, "KS.mac", reader.macKey, "F1CB1F1FB5ADF208806B89DC579DC1F8")
	same(t, "SSC", reader.counter(0), "887022120C06C226")

	for _, step := range []struct {
		plain             apdu.Command
		command, response string
		data              string
	}{
		{apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{0x01, 0x1E}},
			"0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800", "990290008E08FA855A5D4C50A8ED9000", ""},
		{apdu.Command{INS: 0xB0, Ne: 4},
			"0CB000000D9701048E08ED6705417E96BA5500", "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000", "60145F01"},
		{apdu.Command{INS: 0xB0, P2: 4, Ne: 0x12}, "0CB000040D9701128E082EA28A70F3C7B53500",
			"871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000", "04303130365F36063034303030305C026175"},
	} {
		c, err := reader.Protect(&step.plain)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "command", raw, step.command)
		if got, err := chip.UnprotectCommand(c); err != nil || got.Header() != step.plain.Header() || !bytes.Equal(got.Data, step.plain.Data) || got.Ne != step.plain.Ne {
			t.Errorf("the chip reads %+v (%v)", got, err)
		}
		r, err := chip.ProtectResponse(&apdu.Response{Data: unhex(t, step.data), SW: apdu.OK})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "response", r.Encode(), step.response)
		got, err := reader.Unprotect(r)
		if err != nil || got.SW != apdu.OK {
			t.Fatalf("%+v, %v", got, err)
		}
		same(t, "data", got.Data, step.data)
	}
}

// TestCMAC: NIST SP 800-38B appendix D.1 to D.3 (AES-128, messages of 0, 16, 40 and
// 64 octets), cut to eight octets.
func TestCMAC(t *testing.T) {
	t.Parallel()
	key := unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")
	message := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{0: "bb1d6929e9593728", 16: "070a16b46b4d4144", 40: "dfa66747de9ae630", 64: "51f0bebf7e3b9d92"} {
		same(t, "CMAC", AES128.MAC(key, message[:n/2], message[n/2:n]), want)
	}
}

func suites() []Suite { return []Suite{TDES, AES128, AES192, AES256} }

func pair(s Suite) (reader, chip *Session) {
	return NewSession(s, []byte("a shared secret"), nil), NewSession(s, []byte("a shared secret"), nil)
}

// TestBothEnds: whatever is protected at one end is read at the other, with
// commands sent ahead of their responses.
func TestBothEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		suite := rapid.SampledFrom(suites()).Draw(rt, "suite")
		reader, chip := pair(suite)
		for range rapid.IntRange(1, 5).Draw(rt, "batches") {
			var commands []*apdu.Command
			var plain []apdu.Command
			for range rapid.IntRange(1, 4).Draw(rt, "batch") {
				c := apdu.Command{INS: rapid.Byte().Draw(rt, "ins"), Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data"),
					Ne: rapid.SampledFrom([]int{0, 1, 255, 256, 257, 65536}).Draw(rt, "ne")}
				p, err := reader.Protect(&c)
				if err != nil {
					rt.Fatal(err)
				}
				commands, plain = append(commands, p), append(plain, c)
			}
			for i, p := range commands {
				exchange(rt, chip, reader, p, plain[i])
			}
		}
	})
}

func exchange(rt *rapid.T, chip, reader *Session, p *apdu.Command, plain apdu.Command) {
	raw, err := p.Encode()
	if err != nil {
		rt.Fatal(err)
	}
	parsed, err := apdu.Parse(raw)
	if err != nil {
		rt.Fatal(err)
	}
	got, err := chip.UnprotectCommand(parsed)
	if err != nil || !bytes.Equal(got.Data, plain.Data) || got.Ne != plain.Ne || got.Header() != plain.Header() {
		rt.Fatalf("the chip read another command: %v", err)
	}
	want := apdu.Response{Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "answer"), SW: apdu.Status(rapid.Uint16().Draw(rt, "sw"))}
	r, err := chip.ProtectResponse(&want)
	if err != nil {
		rt.Fatal(err)
	}
	back, err := reader.Unprotect(r)
	if err != nil || back.SW != want.SW || !bytes.Equal(back.Data, want.Data) {
		rt.Fatalf("the reader read another response: %v", err)
	}
}

// TestNoDowngrade: each response that is not properly protected is refused and
// ends the session; an unprotected error status alone passes.
func TestNoDowngrade(t *testing.T) {
	t.Parallel()
	for _, suite := range suites() {
		for name, tc := range map[string]struct {
			change func(r *apdu.Response)
			want   error
		}{
			"unprotected success": {func(r *apdu.Response) { r.Data = nil }, ErrUnprotected},
			"unprotected warning": {func(r *apdu.Response) { r.Data, r.SW = nil, apdu.EndOfFile }, ErrUnprotected},
			"plain data":          {func(r *apdu.Response) { r.Data = []byte{0x61, 1, 2} }, ErrUnprotected},
			"cryptogram alone":    {func(r *apdu.Response) { r.Data = r.Data[:len(r.Data)-14] }, ErrUnprotected},
			"no DO'99'": {func(r *apdu.Response) {
				r.Data = append(r.Data[:len(r.Data)-14:len(r.Data)-14], r.Data[len(r.Data)-10:]...)
			}, ErrProtection},
			"no DO'8E'":          {func(r *apdu.Response) { r.Data = r.Data[:len(r.Data)-10] }, ErrProtection},
			"changed code":       {func(r *apdu.Response) { r.Data[len(r.Data)-1] ^= 1 }, ErrProtection},
			"changed cryptogram": {func(r *apdu.Response) { r.Data[5] ^= 1 }, ErrProtection},
			"changed status":     {func(r *apdu.Response) { r.Data[len(r.Data)-11] ^= 1 }, ErrProtection},
			"short code":         {func(r *apdu.Response) { r.Data = r.Data[:len(r.Data)-1]; r.Data[len(r.Data)-8] = 7 }, ErrProtection},
			"objects in disorder": {func(r *apdu.Response) {
				n := len(r.Data)
				r.Data = append(append(r.Data[n-14:n-10:n-10], r.Data[:n-14]...), r.Data[n-10:]...)
			}, ErrProtection},
			"something after code": {func(r *apdu.Response) { r.Data = append(r.Data, 0x99, 2, 0x90, 0) }, ErrProtection},
			"cut":                  {func(r *apdu.Response) { r.Data = r.Data[:3] }, ErrUnprotected},
		} {
			reader, chip := pair(suite)
			r := answer(t, reader, chip)
			tc.change(r)
			if _, err := reader.Unprotect(r); !errors.Is(err, tc.want) {
				t.Errorf("%s, %s: %v", suite, name, err)
			}
			if _, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 1}); !errors.Is(err, ErrEnded) || !reader.Ended() {
				t.Errorf("%s, %s: the session goes on: %v", suite, name, err)
			}
			if !bytes.Equal(reader.macKey, make([]byte, len(reader.macKey))) || !bytes.Equal(reader.encKey, make([]byte, len(reader.encKey))) {
				t.Errorf("%s, %s: keys are left", suite, name)
			}
		}
		reader, chip := pair(suite)
		r := answer(t, reader, chip)
		r.Data, r.SW = nil, apdu.FileNotFound
		if got, err := reader.Unprotect(r); err != nil || got.SW != apdu.FileNotFound {
			t.Errorf("%s: an unprotected error: %v", suite, err)
		}
	}
}

func answer(t *testing.T, reader, chip *Session) *apdu.Response {
	t.Helper()
	c, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 8})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chip.UnprotectCommand(c); err != nil {
		t.Fatal(err)
	}
	r, err := chip.ProtectResponse(&apdu.Response{Data: []byte("specimen"), SW: apdu.OK})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReplayIsRefused: a response serves one command only, in either order.
func TestReplayIsRefused(t *testing.T) {
	t.Parallel()
	reader, chip := pair(AES128)
	first := answer(t, reader, chip)
	if _, err := reader.Unprotect(first); err != nil {
		t.Fatal(err)
	}
	_ = answer(t, reader, chip)
	if _, err := reader.Unprotect(first); !errors.Is(err, ErrProtection) {
		t.Errorf("replayed response: %v", err)
	}
	reader, chip = pair(AES128)
	c, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 8})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chip.UnprotectCommand(c); err != nil {
		t.Fatal(err)
	}
	if _, err := chip.UnprotectCommand(c); !errors.Is(err, ErrProtection) {
		t.Errorf("replayed command: %v", err)
	}
	if _, err := reader.Unprotect(answer(t, NewSession(AES128, nil, nil), NewSession(AES128, nil, nil))); !errors.Is(err, ErrProtection) {
		t.Errorf("response of another session: %v", err)
	}
}

// TestRewind: commands protected ahead and not sent leave the counters in step.
func TestRewind(t *testing.T) {
	t.Parallel()
	reader, chip := pair(AES256)
	r := answer(t, reader, chip)
	for range 3 {
		if _, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 8}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := reader.Unprotect(r); err != nil {
		t.Fatal(err)
	}
	reader.Rewind()
	if _, err := reader.Unprotect(answer(t, reader, chip)); err != nil {
		t.Error(err)
	}
	if _, err := reader.Unprotect(r); !errors.Is(err, ErrEnded) {
		t.Errorf("a response to no command: %v", err)
	}
}

// TestChipRefusesBadCommands: unprotected, wrongly coded, malformed.
func TestChipRefusesBadCommands(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *apdu.Command){
		"unprotected class": func(c *apdu.Command) { c.CLA = 0 },
		"changed header":    func(c *apdu.Command) { c.P2 ^= 1 },
		"no code":           func(c *apdu.Command) { c.Data = c.Data[:len(c.Data)-10] },
		"changed length":    func(c *apdu.Command) { c.Data[2] ^= 1 },
		"no objects":        func(c *apdu.Command) { c.Data = nil },
	} {
		reader, chip := pair(AES128)
		c, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 8})
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		if _, err := chip.UnprotectCommand(c); !errors.Is(err, ErrProtection) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := chip.UnprotectCommand(c); !errors.Is(err, ErrEnded) {
			t.Errorf("%s: the session goes on: %v", name, err)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for _, tc := range [][3]string{
		{"", "690806", "940623"}, {"L898902C", "69080", "940623"}, {"L898902C", "690806", ""}, {"L89 902C", "690806", "940623"},
		{"ABCDEFGHIJKLMNOPQRSTUVW", "690806", "940623"},
	} {
		if _, err := MRZPassword(tc[0], tc[1], tc[2]); !errors.Is(err, ErrPassword) {
			t.Errorf("accepted: %v", err)
		}
	}
	a, err1 := MRZPassword("l898902c", "690806", "940623")
	b, err2 := MRZPassword("L898902C<", "690806", "940623")
	if err1 != nil || err2 != nil || !bytes.Equal(a.secret, b.secret) {
		t.Error("fillers and case change the password")
	}
	// A document number of more than nine characters is used whole (9303-11 appendix D.2, TD1: D23145890734).
	if _, err := MRZPassword("D23145890734", "340712", "950712"); err != nil {
		t.Error(err)
	}
	for _, can := range []string{"", "12345", "12345a"} {
		if _, err := CANPassword(can); !errors.Is(err, ErrPassword) {
			t.Errorf("CAN accepted: %v", err)
		}
	}
	can, err := CANPassword("123456")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := can.BACKeys(); !errors.Is(err, ErrPassword) {
		t.Errorf("BAC with a CAN: %v", err)
	}
	can.Wipe()
	if !bytes.Equal(can.secret, make([]byte, 6)) {
		t.Error("the CAN is left")
	}
}

// TestKDF3DESParity: every octet of a 3DES key has odd parity (9303-11 §9.7.1.1).
func TestKDF3DESParity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		for _, b := range TDES.KDF(rapid.SliceOf(rapid.Byte()).Draw(rt, "secret"), CounterENC) {
			n := 0
			for ; b > 0; b &= b - 1 {
				n++
			}
			if n%2 != 1 {
				rt.Fatal("even parity")
			}
		}
	})
}

// FuzzUnprotect: no response makes the session panic or accept what its peer did
// not protect.
func FuzzUnprotect(f *testing.F) {
	f.Add(unhex(f, "990290008E08FA855A5D4C50A8ED9000"))
	f.Add(unhex(f, "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := apdu.ParseResponse(b)
		if err != nil {
			return
		}
		reader := NewSession(AES128, b[:1], nil)
		if _, err := reader.Protect(&apdu.Command{INS: 0xB0, Ne: 8}); err != nil {
			t.Fatal(err)
		}
		got, err := reader.Unprotect(r)
		if err == nil && (len(got.Data) > 0 || !got.SW.Error()) {
			t.Fatal("accepted a response that no chip protected")
		}
		if (err != nil) != reader.Ended() {
			t.Fatal("a refused response leaves the session open")
		}
	})
}

func BenchmarkUnprotect(b *testing.B) {
	for _, suite := range suites() {
		b.Run(suite.String(), func(b *testing.B) {
			reader, chip := pair(suite)
			data := make([]byte, 223)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				c, _ := reader.Protect(&apdu.Command{INS: 0xB0, Ne: len(data)})
				if _, err := chip.UnprotectCommand(c); err != nil {
					b.Fatal(err)
				}
				r, _ := chip.ProtectResponse(&apdu.Response{Data: data, SW: apdu.OK})
				if _, err := reader.Unprotect(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
