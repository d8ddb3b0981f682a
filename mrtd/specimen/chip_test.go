package specimen

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/tlv"
)

// terminal sends single commands, so that status words can be looked at.
type terminal struct {
	t    *testing.T
	chip *Chip
	sm   *sm.Session
}

func newTerminal(t *testing.T, cfg DocumentConfig) *terminal {
	t.Helper()
	if cfg.Portrait == nil {
		cfg.Portrait = jpegLike()
	}
	doc, err := newTestIssuer(t, "ecdsa-P-256-sha256").Issue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewChip(doc, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &terminal{t: t, chip: c}
}

// raw sends a command and returns the response as it comes.
func (x *terminal) raw(cmd *apdu.Command) *apdu.Response {
	x.t.Helper()
	b, err := cmd.Encode()
	if err != nil {
		x.t.Fatal(err)
	}
	got, err := x.chip.Transmit(x.t.Context(), b)
	if err != nil {
		x.t.Fatal(err)
	}
	r, err := apdu.ParseResponse(got)
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

// send protects the command when a session is open.
func (x *terminal) send(ins, p1, p2 byte, data []byte, ne int) (*apdu.Response, error) {
	x.t.Helper()
	cmd := &apdu.Command{INS: ins, P1: p1, P2: p2, Data: data, Ne: ne}
	if x.sm == nil {
		return x.raw(cmd), nil
	}
	p, err := x.sm.Protect(cmd)
	if err != nil {
		x.t.Fatal(err)
	}
	return x.sm.Unprotect(x.raw(p))
}

// expect sends a command and wants a status.
func (x *terminal) expect(want apdu.Status, ins, p1, p2 byte, data []byte, ne int) []byte {
	x.t.Helper()
	r, err := x.send(ins, p1, p2, data, ne)
	if err != nil {
		x.t.Fatalf("%02X %02X%02X: %v", ins, p1, p2, err)
	}
	if r.SW != want {
		x.t.Errorf("%02X %02X%02X: %v, want %v", ins, p1, p2, r.SW, want)
	}
	return r.Data
}

func (x *terminal) selectApplication() {
	x.t.Helper()
	x.expect(apdu.OK, apdu.Select, 4, 0x0C, aid(), 0)
}

// basicAccess opens the chip with the printed zone, or another number.
func (x *terminal) basicAccess(number string) apdu.Status {
	x.t.Helper()
	zone, err := mrz.Parse(x.chip.doc.MRZ)
	if err != nil {
		x.t.Fatal(err)
	}
	if number == "" {
		number = zone.Number.Reveal()
	}
	p, err := sm.MRZPassword(number, zone.BirthDate.Reveal(), zone.ExpiryDate.Reveal())
	if err != nil {
		x.t.Fatal(err)
	}
	enc, mac, err := p.BACKeys()
	if err != nil {
		x.t.Fatal(err)
	}
	rndIC := x.expect(apdu.OK, apdu.GetChallenge, 0, 0, nil, 8)
	rndIFD, kIFD := []byte("12345678"), bytes.Repeat([]byte{7}, 16)
	s := append(append(bytes.Clone(rndIFD), rndIC...), kIFD...)
	r := x.raw(&apdu.Command{INS: apdu.ExternalAuthenticate, Data: sm.SealBAC(enc, mac, s), Ne: sm.BACSize})
	if r.SW != apdu.OK {
		return r.SW
	}
	answer, ok := sm.OpenBAC(enc, mac, r.Data)
	if !ok || !bytes.Equal(answer[:8], rndIC) || !bytes.Equal(answer[8:16], rndIFD) {
		x.t.Fatal("the chip's half of BAC is wrong")
	}
	x.sm = sm.NewBACSession(rndIFD, rndIC, kIFD, answer[16:])
	return r.SW
}

func opened(t *testing.T, cfg DocumentConfig) *terminal {
	t.Helper()
	x := newTerminal(t, cfg)
	x.selectApplication()
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Fatalf("BAC: %v", sw)
	}
	return x
}

func TestFilesNeedAccessControl(t *testing.T) {
	t.Parallel()
	x := newTerminal(t, DocumentConfig{AA: "ecdsa-P-256-sha256"})
	x.expect(apdu.FileNotFound, apdu.Select, 4, 0x0C, []byte("another application"), 0)
	x.expect(apdu.OK, apdu.Select, 0, 0x0C, nil, 0)
	x.expect(apdu.OK, apdu.Select, 0, 0x0C, []byte{0x3F, 0x00}, 0)
	x.expect(apdu.FileNotFound, apdu.Select, 2, 0x0C, []byte{0x01, 0x1C}, 0) // no PACE, no EF.CardAccess
	x.expect(apdu.FileNotFound, apdu.Select, 2, 0x0C, []byte{0x01, 0x01}, 0) // not under the master file
	x.expect(apdu.ConditionsOfUse, apdu.GetChallenge, 0, 0, nil, 8)
	x.selectApplication()
	x.expect(apdu.SecurityStatus, apdu.Select, 2, 0x0C, []byte{0x01, 0x01}, 0)
	x.expect(apdu.SecurityStatus, apdu.ReadBinary, 0x81, 0, nil, 256)
	x.expect(apdu.NotAllowed, apdu.ReadBinary, 0, 0, nil, 256)
	x.expect(apdu.SecurityStatus, apdu.InternalAuthenticate, 0, 0, make([]byte, 8), 256)
	x.expect(apdu.ConditionsOfUse, apdu.ExternalAuthenticate, 0, 0, make([]byte, 40), 40)
	x.expect(apdu.UnknownINS, 0x20, 0, 0, nil, 0)
	if sw := x.raw(&apdu.Command{CLA: 0x80, INS: apdu.Select}).SW; sw != apdu.UnknownCLA {
		t.Errorf("another class: %v", sw)
	}
	if sw := x.raw(&apdu.Command{CLA: 0x0C, INS: apdu.ReadBinary, Ne: 4}).SW; sw != apdu.SMNotSupported {
		t.Errorf("secure messaging without a session: %v", sw)
	}
	if b, err := x.chip.Transmit(t.Context(), []byte{0, 0xA4}); err != nil || !bytes.Equal(b, []byte{0x67, 0x00}) {
		t.Errorf("no command: % x, %v", b, err)
	}
}

func TestEveryWayOfReadingGivesTheSameOctets(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{})
	want := x.chip.doc.Files[lds.DG2]
	read := func(ne int, one func(offset, ne int) []byte) []byte {
		var out []byte
		for len(out) < len(want) {
			part := one(len(out), min(ne, len(want)-len(out)))
			if len(part) == 0 {
				t.Fatal("nothing more came")
			}
			out = append(out, part...)
		}
		return out
	}
	x.expect(apdu.OK, apdu.Select, 2, 0x0C, []byte{0x01, 0x02}, 0)
	ways := map[string]func(offset, ne int) []byte{
		"selected": func(offset, ne int) []byte {
			return x.expect(apdu.OK, apdu.ReadBinary, byte(offset>>8), byte(offset), nil, ne)
		},
		"odd instruction": func(offset, ne int) []byte {
			b := x.expect(apdu.OK, apdu.ReadBinaryOdd, 0, 2, []byte{0x54, 2, byte(offset >> 8), byte(offset)}, ne+len(tlv.AppendHeader(nil, 0x53, ne)))
			e, err := tlv.Parse(b)
			if err != nil || e.Tag != 0x53 {
				t.Fatalf("% x", b[:2])
			}
			return e.Value
		},
	}
	for name, one := range ways {
		for _, ne := range []int{100, 223, 3000} {
			if got := read(ne, one); !bytes.Equal(got, want) {
				t.Errorf("%s by %d: %d octets of %d", name, ne, len(got), len(want))
			}
		}
	}
	if head := x.expect(apdu.OK, apdu.ReadBinary, 0x82, 4, nil, 6); !bytes.Equal(head, want[4:10]) {
		t.Errorf("by short identifier: % x", head)
	}
	x.expect(apdu.WrongOffset, apdu.ReadBinary, 0x7F, 0xFF, nil, 6)
	x.expect(apdu.EndOfFile, apdu.ReadBinary, byte((len(want)-2)>>8), byte(len(want)-2), nil, 6)
	x.expect(apdu.FileNotFound, apdu.ReadBinary, 0x83, 0, nil, 6)
	x.expect(apdu.WrongData, apdu.ReadBinaryOdd, 0, 2, []byte{0x55, 1, 0}, 6)
}

func TestWrongMRZIsRefusedAndNeverBlocks(t *testing.T) {
	t.Parallel()
	x := newTerminal(t, DocumentConfig{})
	x.selectApplication()
	for range 20 {
		if sw := x.basicAccess("X00000000"); sw != apdu.AuthenticationFailed {
			t.Fatalf("wrong number: %v", sw)
		}
	}
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Errorf("right number: %v", sw)
	}
}

func TestUnprotectedCommandEndsTheSession(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{})
	x.expect(apdu.OK, apdu.ReadBinary, 0x81, 0, nil, 4)
	if r := x.raw(&apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 4}); r.SW != apdu.SecurityStatus || len(r.Data) != 0 {
		t.Errorf("plain read: %v, %d octets", r.SW, len(r.Data))
	}
	p, err := x.sm.Protect(&apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 4})
	if err != nil {
		t.Fatal(err)
	}
	if r := x.raw(p); r.SW != apdu.SMNotSupported {
		t.Errorf("the old session: %v", r.SW)
	}
	// The chip opens again.
	x.sm = nil
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Errorf("BAC again: %v", sw)
	}
}

func TestTamperedCommandEndsTheSession(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{})
	p, err := x.sm.Protect(&apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 4})
	if err != nil {
		t.Fatal(err)
	}
	p.Data[len(p.Data)-1] ^= 1
	if r := x.raw(p); r.SW != apdu.SMIncorrect || len(r.Data) != 0 {
		t.Errorf("%v, %d octets", r.SW, len(r.Data))
	}
	if r := x.raw(&apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 4}); r.SW != apdu.SecurityStatus {
		t.Errorf("after: %v", r.SW)
	}
}

func TestSecureMessagingFaultsAreSeen(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]error{FaultBadMAC: sm.ErrProtection, FaultUnprotected: sm.ErrUnprotected,
		FaultMissingStatus: sm.ErrProtection, FaultReplayedRead: sm.ErrProtection} {
		x := opened(t, DocumentConfig{Faults: map[string]bool{fault: true}})
		x.expect(apdu.OK, apdu.ReadBinary, 0x82, 0, nil, 8)
		if r, err := x.send(apdu.ReadBinary, 0, 8, nil, 100); !errors.Is(err, want) {
			t.Errorf("%s: %v, %+v", fault, err, r != nil)
		}
	}
}

func TestLostSessionsAndChips(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{Faults: map[string]bool{FaultResetMidRead: true}})
	for range 2 {
		x.expect(apdu.OK, apdu.ReadBinary, 0x82, 0, nil, 8)
		if r, err := x.send(apdu.ReadBinary, 0, 8, nil, 100); err != nil || r.SW == apdu.SMIncorrect {
			x.sm = nil
			x.selectApplication()
			if sw := x.basicAccess(""); sw != apdu.OK {
				t.Fatalf("after the reset: %v", sw)
			}
			continue
		}
	}
	if x.sm.Ended() {
		t.Error("it resets more than once")
	}
	x = opened(t, DocumentConfig{Faults: map[string]bool{FaultGone: true}})
	x.expect(apdu.OK, apdu.ReadBinary, 0x82, 0, nil, 8)
	for range 2 {
		if _, err := x.chip.Transmit(t.Context(), []byte{0x0C, 0xB0, 0, 8, 0}); err == nil {
			p, _ := x.sm.Protect(&apdu.Command{INS: apdu.ReadBinary, P2: 8, Ne: 4})
			b, _ := p.Encode()
			_, err = x.chip.Transmit(t.Context(), b)
			if err != nil && !errors.Is(err, ErrRemoved) {
				t.Error(err)
			}
		}
	}
}

func TestLimitedChips(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{Faults: map[string]bool{FaultLimitedLe: true}})
	if b := x.expect(apdu.OK, apdu.ReadBinary, 0x82, 0, nil, 256); len(b) != 128 {
		t.Errorf("%d octets", len(b))
	}
	x = opened(t, DocumentConfig{Faults: map[string]bool{FaultNoExtended: true}})
	if r, err := x.send(apdu.ReadBinary, 0x82, 0, nil, 1000); err != nil || r.SW != apdu.WrongLength {
		t.Errorf("extended length: %v, %v", r, err)
	}
	x = newTerminal(t, DocumentConfig{Faults: map[string]bool{FaultLeOnSelect: true}})
	x.expect(apdu.WrongLength, apdu.Select, 4, 0x0C, aid(), 256)
	x = newTerminal(t, DocumentConfig{Faults: map[string]bool{FaultMasterFile6A87: true}})
	x.expect(0x6A87, apdu.Select, 0, 0x0C, nil, 0)
}

// TestEFDIRAnswersAsChipsDo: absent, which is no error of secure messaging, or there and
// closed before access control.
func TestEFDIRAnswersAsChipsDo(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{})
	x.expect(apdu.OK, apdu.Select, 0, 0x0C, nil, 0)
	x.expect(apdu.FileNotFound, apdu.Select, 2, 0x0C, []byte{0x2F, 0x00}, 0)
	x.selectApplication()
	x.expect(apdu.OK, apdu.ReadBinary, 0x81, 0, nil, 4) // the session goes on
	x = newTerminal(t, DocumentConfig{Faults: map[string]bool{FaultDIR6982: true}})
	x.expect(apdu.SecurityStatus, apdu.Select, 2, 0x0C, []byte{0x2F, 0x00}, 0)
	x.selectApplication()
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Fatal(sw)
	}
	x.expect(apdu.OK, apdu.Select, 0, 0x0C, nil, 0)
	x.expect(apdu.OK, apdu.Select, 2, 0x0C, []byte{0x2F, 0x00}, 0)
	if b := x.expect(apdu.OK, apdu.ReadBinary, 0, 0, nil, 256); !bytes.Contains(b, aid()) {
		t.Errorf("EF.DIR is % x", b)
	}
}

func TestResetForgetsTheSession(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{})
	x.chip.Reset()
	p, err := x.sm.Protect(&apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 4})
	if err != nil {
		t.Fatal(err)
	}
	if r := x.raw(p); r.SW != apdu.SMNotSupported {
		t.Errorf("%v", r.SW)
	}
}

func TestChipTakesTurns(t *testing.T) {
	t.Parallel()
	x := newTerminal(t, DocumentConfig{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := x.chip.Transmit(t.Context(), append([]byte{0, apdu.Select, 4, 0x0C, 7}, aid()...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestChipWantsItsArguments(t *testing.T) {
	t.Parallel()
	if _, err := NewChip(nil, rand.Reader); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if _, err := NewChip(&Document{Files: map[lds.FileID][]byte{lds.DG1: {1}}, MRZ: "not a zone"}, rand.Reader); err == nil {
		t.Error("a document without a zone")
	}
	for _, f := range Faults() {
		if f.Text == "" || !KnownFault(f.Name) {
			t.Errorf("%q is not described", f.Name)
		}
	}
	if KnownFault("none") {
		t.Error("a fault that does not exist")
	}
}

func TestEveryFaultIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/passport.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Faults() {
		if line := fmt.Sprintf("| `%s` | %s |\n", f.Name, f.Text); !bytes.Contains(doc, []byte(line)) {
			t.Errorf("docs/passport.md lacks the line %s", line)
		}
	}
}
