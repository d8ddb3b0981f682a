package chip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/mrtd/chip"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/tlv"
)

func portrait(n int) []byte {
	return append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte{0x55}, n)...)
}

func at() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func issue(t testing.TB, cfg specimen.DocumentConfig) (*specimen.Document, *specimen.Chip) {
	t.Helper()
	i, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: at()})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Portrait == nil {
		cfg.Portrait = portrait(6000)
	}
	if cfg.CAN == "" {
		cfg.CAN = "123456"
	}
	doc, err := i.Issue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return doc, c
}

func options(t testing.TB, doc *specimen.Document) chip.Options {
	t.Helper()
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		t.Fatal(err)
	}
	return chip.Options{Access: chip.FromMRZ(zone), Challenge: []byte("12345678"), Rand: rand.Reader}
}

// check compares what was read with what the document holds.
func check(t testing.TB, doc *specimen.Document, r *chip.Reading, ids ...lds.FileID) {
	t.Helper()
	for _, id := range ids {
		got := r.Files[id]
		if !bytes.Equal(got.Reveal(), doc.Files[id]) {
			t.Errorf("%s: %d octets read, %d on the chip, or others", id, got.Len(), len(doc.Files[id]))
		}
	}
}

func paceConfig(protocol string, id int) *specimen.PACEConfig {
	return &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4." + protocol, ParameterID: id}
}

// TestProtocols reads one document through every access protocol and suite.
func TestProtocols(t *testing.T) {
	t.Parallel()
	type tc struct {
		protocol string
		id       int
		access   string
	}
	cases := []tc{{"", 0, "BAC"}}
	for suite := 1; suite <= 4; suite++ {
		cases = append(cases, tc{fmt.Sprintf("2.%d", suite), 13, "PACE-GM"}, tc{fmt.Sprintf("4.%d", suite), 12, "PACE-IM"},
			tc{fmt.Sprintf("1.%d", suite), suite % 3, "PACE-GM"}, tc{fmt.Sprintf("3.%d", suite), suite % 3, "PACE-IM"})
		if suite > 1 {
			cases = append(cases, tc{fmt.Sprintf("6.%d", suite), 13, "PACE-CAM"})
		}
	}
	for id := 8; id <= 18; id++ {
		cases = append(cases, tc{"2.2", id, "PACE-GM"})
		if id != 10 { // P-224: p = 1 mod 4 has no integrated mapping
			cases = append(cases, tc{"4.4", id, "PACE-IM"})
		}
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s with %d", c.protocol, c.id), func(t *testing.T) {
			t.Parallel()
			cfg := specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}}
			if c.protocol != "" {
				cfg.Access.PACE = paceConfig(c.protocol, c.id)
			}
			doc, card := issue(t, cfg)
			opts := options(t, doc)
			r, err := chip.Read(t.Context(), card, opts)
			if err != nil {
				t.Fatal(err)
			}
			check(t, doc, r, lds.COM, lds.SOD, lds.DG1, lds.DG2, lds.DG14, lds.DG15)
			if r.Access != c.access || c.protocol != "" && r.ParameterID != c.id {
				t.Errorf("opened by %s %d", r.Access, r.ParameterID)
			}
			if r.AA == nil || (r.CA == nil) != (r.CAM != nil) {
				t.Errorf("proofs missing: AA %v, CA %v, CAM %v", r.AA != nil, r.CA != nil, r.CAM != nil)
			}
			t.Logf("%d commands", r.Commands)
			if c.protocol == "" {
				return
			}
			card.Reset()
			opts.Access = chip.FromCAN(doc.CAN)
			if r, err = chip.Read(t.Context(), card, opts); err != nil {
				t.Fatalf("with the CAN: %v", err)
			}
			check(t, doc, r, lds.DG1, lds.DG2)
		})
	}
}

// TestWrongAccessData is told as such whatever the protocol.
func TestWrongAccessData(t *testing.T) {
	t.Parallel()
	for name, access := range map[string]specimen.AccessConfig{
		"BAC": {BAC: true}, "PACE": {PACE: paceConfig("2.2", 13)}, "both": {BAC: true, PACE: paceConfig("2.2", 12)},
		"IM": {PACE: paceConfig("4.2", 13)}, "CAM": {PACE: paceConfig("6.2", 13)}, "DH": {PACE: paceConfig("1.2", 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, card := issue(t, specimen.DocumentConfig{Access: access, CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}})
			opts := options(t, doc)
			opts.Access.BirthDate = text("000101")
			r, err := chip.Read(t.Context(), card, opts)
			if !errors.Is(err, chip.ErrAccessDenied) || r != nil {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
}

// TestDeviatingChips: each behaviour met in the field is survived, and nothing is lost.
func TestDeviatingChips(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{
		specimen.FaultResetMidRead, specimen.FaultNoExtended, specimen.FaultLimitedLe, specimen.FaultExactLe, specimen.FaultLeOnSelect, specimen.FaultRead6B00,
		specimen.FaultMasterFile6A87, specimen.FaultMasterFile6985, specimen.FaultCardAccess6982, specimen.FaultCardAccess6986,
		specimen.FaultDIR6982, specimen.FaultPACE6300, specimen.FaultBAC6A88, specimen.FaultParameterID, specimen.FaultAADER,
		specimen.FaultCAKeyID, specimen.FaultMasterFileForm, specimen.FaultInApplication, specimen.FaultNoSFI, specimen.FaultTrailingDG14, specimen.FaultNoCAInfo, specimen.FaultIndefinite, specimen.FaultCOMDiffers,
	} {
		for _, batched := range []bool{false, true} {
			t.Run(fmt.Sprint(fault, batched), func(t *testing.T) {
				t.Parallel()
				doc, card := issue(t, specimen.DocumentConfig{
					Access: specimen.AccessConfig{BAC: true, PACE: paceConfig("2.2", 13), FurtherPACE: []specimen.PACEConfig{*paceConfig("2.4", 16)}},
					AA:     "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256", KeyID: 1}, {Curve: "brainpoolP256r1", KeyID: 2}},
					Faults: map[string]bool{fault: true},
				})
				r, err := chip.Read(t.Context(), inBatches(card, batched), options(t, doc))
				if err != nil {
					t.Fatal(err)
				}
				check(t, doc, r, lds.COM, lds.SOD, lds.DG1, lds.DG2, lds.DG14, lds.DG15)
				if r.AA == nil || r.CA == nil {
					t.Errorf("proofs missing: AA %v, CA %v", r.AA != nil, r.CA != nil)
				}
			})
		}
	}
}

// TestWaysToCardAccess: EF.CardAccess is found whatever the chip makes of SELECT and of
// short identifiers; where it cannot be found, the document is opened by BAC.
func TestWaysToCardAccess(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", specimen.FaultMasterFile6A87, specimen.FaultMasterFile6985, specimen.FaultMasterFileForm, specimen.FaultCardAccess6982, specimen.FaultCardAccess6986} {
		for _, where := range []string{"", specimen.FaultInApplication} {
			for _, sfi := range []string{"", specimen.FaultNoSFI} {
				t.Run(fmt.Sprint(fault, where, sfi), func(t *testing.T) {
					t.Parallel()
					doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: paceConfig("2.2", 12)},
						Faults: map[string]bool{fault: true, where: true, sfi: true}})
					want := "PACE-GM"
					stuck := where != "" && (fault == specimen.FaultMasterFile6A87 || fault == specimen.FaultMasterFile6985)
					if stuck || strings.HasPrefix(fault, "card-access") {
						want = "BAC"
					}
					for _, way := range []chip.Card{card, &batchCard{Card: card}} {
						card.Reset()
						r, err := chip.Read(t.Context(), way, options(t, doc))
						if err != nil {
							t.Fatal(err)
						}
						check(t, doc, r, lds.DG1, lds.DG2)
						if r.Access != want {
							t.Errorf("opened by %s, want %s", r.Access, want)
						}
					}
				})
			}
		}
	}
}

// TestParametersOfPACE: several sets, sets written out, and sets that no mapping can use.
func TestParametersOfPACE(t *testing.T) {
	t.Parallel()
	explicit := func(protocol string, id int) specimen.PACEConfig {
		p := *paceConfig(protocol, id)
		p.Explicit = true
		return p
	}
	for name, tc := range map[string]struct {
		offers []specimen.PACEConfig
		access string
		id     int
	}{
		"several sets":          {[]specimen.PACEConfig{*paceConfig("2.2", 12), *paceConfig("2.2", 16), *paceConfig("2.2", 13)}, "PACE-GM", 12},
		"curve written out":     {[]specimen.PACEConfig{explicit("2.4", 13)}, "PACE-GM", 45},
		"IM, curve written out": {[]specimen.PACEConfig{explicit("4.2", 16)}, "PACE-IM", 48},
		"CAM, written out":      {[]specimen.PACEConfig{explicit("6.2", 12)}, "PACE-CAM", 44},
		"group written out":     {[]specimen.PACEConfig{explicit("1.2", 2)}, "PACE-GM", 34},
		"both forms":            {[]specimen.PACEConfig{explicit("2.2", 13), *paceConfig("2.2", 12)}, "PACE-GM", 45},
		"two written out":       {[]specimen.PACEConfig{explicit("2.2", 15), explicit("2.2", 13)}, "PACE-GM", 47},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: &tc.offers[0], FurtherPACE: tc.offers[1:]}})
			r, err := chip.Read(t.Context(), card, options(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			check(t, doc, r, lds.DG1, lds.DG2)
			if r.Access != tc.access || r.ParameterID != tc.id {
				t.Errorf("opened by %s %d", r.Access, r.ParameterID)
			}
		})
	}
}

// TestIntegratedMappingPassesOverP224: the standard keeps the curve from the integrated
// mapping (9303-11 §9.5.1). Nobody issues such a document here, and a chip that offers
// the combination is opened by what else it offers.
func TestIntegratedMappingPassesOverP224(t *testing.T) {
	t.Parallel()
	i, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: at()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Issue(specimen.DocumentConfig{Portrait: portrait(10), Access: specimen.AccessConfig{PACE: paceConfig("4.2", 10)}}); !errors.Is(err, specimen.ErrAlgorithm) {
		t.Errorf("issued: %v", err)
	}
	info := func(protocol string, id int) []byte {
		return tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4."+protocol), tlv.EncodeInt(2), tlv.EncodeInt(id))
	}
	for want, infos := range map[string][][]byte{"PACE-GM": {info("4.2", 10), info("2.2", 10)}, "BAC": {info("4.2", 10)}} {
		doc, _ := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: paceConfig("2.2", 10)}})
		doc.Files[lds.CardAccess] = tlv.Encode(tlv.Set, infos...)
		card, err := specimen.NewChip(doc, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		r, err := chip.Read(t.Context(), card, options(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		if r.Access != want {
			t.Errorf("opened by %s, want %s", r.Access, want)
		}
	}
}

// TestTwoReadersOnOneChip: a session is one conversation. Two that share a chip disturb
// each other: each ends with the right files or with an error, never with others.
func TestTwoReadersOnOneChip(t *testing.T) {
	t.Parallel()
	doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: paceConfig("2.2", 12)}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			r, err := chip.Read(t.Context(), card, options(t, doc))
			var e *chip.Error
			switch {
			case err == nil:
				check(t, doc, r, lds.DG1, lds.DG2)
			case !errors.As(err, &e) || r != nil:
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
}

// TestAttacksAreRefused: whoever tampers with secure messaging ends the reading.
func TestAttacksAreRefused(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]error{
		specimen.FaultBadMAC: chip.ErrSecureMessaging, specimen.FaultUnprotected: chip.ErrSecureMessaging,
		specimen.FaultMissingStatus: chip.ErrSecureMessaging, specimen.FaultReplayedRead: chip.ErrSecureMessaging,
		specimen.FaultGone: chip.ErrCard,
	} {
		for _, batched := range []bool{false, true} {
			t.Run(fmt.Sprint(fault, batched), func(t *testing.T) {
				t.Parallel()
				doc, card := issue(t, specimen.DocumentConfig{Portrait: portrait(30_000), Access: specimen.AccessConfig{PACE: paceConfig("2.2", 13)}, Faults: map[string]bool{fault: true}})
				r, err := chip.Read(t.Context(), inBatches(card, batched), options(t, doc))
				if !errors.Is(err, want) || r != nil {
					t.Errorf("%v, %v", r, err)
				}
				var e *chip.Error
				if gone := fault == specimen.FaultGone && batched; !errors.As(err, &e) || !gone && (e.File() != lds.DG2 || e.Offset != 5) || !gone && !strings.Contains(err.Error(), "read DG2 at 5: ") {
					t.Errorf("the place is not named: %v", err)
				}
				if clause := e.Clause(); (clause != "ICAO 9303-11 §9.8") != (fault == specimen.FaultGone) || !strings.Contains(err.Error(), clause) {
					t.Errorf("the clause is not named: %v", err)
				}
				if fault == specimen.FaultGone && !errors.Is(err, specimen.ErrRemoved) {
					t.Errorf("the cause is lost: %v", err)
				}
			})
		}
	}
}

// TestLargePortraits: offsets beyond 32767 need the odd READ BINARY, whose data objects
// count against the length of a protected response.
func TestLargePortraits(t *testing.T) {
	t.Parallel()
	for _, size := range []int{32_700, 40_000, 70_000} {
		for _, short := range []bool{true, false} {
			for name, access := range map[string]specimen.AccessConfig{"3DES": {BAC: true}, "AES": {PACE: paceConfig("2.4", 13)}} {
				t.Run(fmt.Sprint(size, short, name), func(t *testing.T) {
					t.Parallel()
					doc, card := issue(t, specimen.DocumentConfig{Portrait: portrait(size), Access: access})
					opts := options(t, doc)
					opts.ShortOnly = short
					for _, way := range []chip.Card{card, &batchCard{Card: card}} {
						card.Reset()
						r, err := chip.Read(t.Context(), way, opts)
						if err != nil {
							t.Fatal(err)
						}
						check(t, doc, r, lds.DG1, lds.DG2)
						if len(r.Deviations) > 0 {
							t.Errorf("%v", r.Deviations)
						}
					}
				})
			}
		}
	}
}

// TestChipAuthentication over every kind of key and suite, with several keys.
func TestChipAuthentication(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]specimen.CAConfig{
		{{Curve: "P-256"}}, {{Curve: "brainpoolP512r1", Protocol: "0.4.0.127.0.7.2.2.3.2.4"}}, {{Curve: "P-384", Protocol: "0.4.0.127.0.7.2.2.3.2.1"}},
		{{Curve: "dh-0", Protocol: "0.4.0.127.0.7.2.2.3.1.1"}}, {{Curve: "dh-2", Protocol: "0.4.0.127.0.7.2.2.3.1.3"}},
		{{Curve: "dh-1", Protocol: "0.4.0.127.0.7.2.2.3.1.1", KeyID: 7}, {Curve: "P-224", Protocol: "0.4.0.127.0.7.2.2.3.2.1", KeyID: 300}, {Curve: "brainpoolP256r1", KeyID: 9}},
	} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			t.Parallel()
			doc, card := issue(t, specimen.DocumentConfig{CA: keys, Access: specimen.AccessConfig{PACE: paceConfig("2.2", 13)}})
			r, err := chip.Read(t.Context(), card, options(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			check(t, doc, r, lds.DG1, lds.DG2, lds.DG14)
			if r.CA == nil || len(r.CA.Response) == 0 || len(r.CA.Command) == 0 || len(r.CA.TerminalPrivate) == 0 {
				t.Fatalf("no transcript: %+v", r.CA)
			}
			if last := keys[len(keys)-1]; len(keys) > 1 && r.CA.KeyID != last.KeyID {
				t.Errorf("key %d was proved, AES on a curve is %d", r.CA.KeyID, last.KeyID)
			}
		})
	}
}

// wireCard records the commands that travel.
type wireCard struct {
	chip.Card
	sent [][]byte
}

func (w *wireCard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.sent = append(w.sent, bytes.Clone(command))
	return w.Card.Transmit(ctx, command)
}

func (w *wireCard) extended() int {
	n := 0
	for _, b := range w.sent {
		if c, err := apdu.Parse(b); err == nil && c.Extended {
			n++
		}
	}
	return n
}

// TestLongKeysWithoutExtendedLength: chips and readers without extended length take
// keys of 2,048 bits in chains of commands and give long answers in parts.
func TestLongKeysWithoutExtendedLength(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]specimen.DocumentConfig{
		"PACE-GM": {Access: specimen.AccessConfig{PACE: paceConfig("1.2", 2)}},
		"PACE-IM": {Access: specimen.AccessConfig{PACE: paceConfig("3.4", 1)}},
		"CA AES":  {CA: []specimen.CAConfig{{Curve: "dh-2", Protocol: "0.4.0.127.0.7.2.2.3.1.4", KeyID: 1}, {Curve: "dh-1", Protocol: "0.4.0.127.0.7.2.2.3.1.2", KeyID: 2}}},
		"CA 3DES": {CA: []specimen.CAConfig{{Curve: "dh-1", Protocol: "0.4.0.127.0.7.2.2.3.1.1"}}},
		"AA":      {AA: "rsa-3072-sha512", Access: specimen.AccessConfig{PACE: paceConfig("2.2", 12)}},
	} {
		for _, shortOnly := range []bool{true, false} {
			for _, batched := range []bool{true, false} {
				t.Run(fmt.Sprint(name, shortOnly, batched), func(t *testing.T) {
					t.Parallel()
					cfg := cfg
					cfg.Faults = map[string]bool{specimen.FaultNoExtended: !shortOnly}
					doc, card := issue(t, cfg)
					wire := &wireCard{Card: card}
					var way chip.Card = wire
					if batched {
						way = &batchCard{Card: wire}
					}
					opts := options(t, doc)
					opts.ShortOnly = shortOnly
					r, err := chip.Read(t.Context(), way, opts)
					if err != nil {
						t.Fatal(err)
					}
					check(t, doc, r, lds.DG1, lds.DG2)
					if (r.AA == nil) != (cfg.AA == "") || (r.CA == nil) != (cfg.CA == nil) {
						t.Errorf("AA %v, CA %v", r.AA != nil, r.CA != nil)
					}
					if n := wire.extended(); shortOnly && n > 0 || n > 2 {
						t.Errorf("%d commands of extended length", n)
					}
				})
			}
		}
	}
}

// TestLongKeysWithoutChaining: a chip that has neither extended length nor chains is
// opened by BAC, and its proofs stay owed.
func TestLongKeysWithoutChaining(t *testing.T) {
	t.Parallel()
	for _, batched := range []bool{true, false} {
		doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: paceConfig("1.2", 2)},
			CA: []specimen.CAConfig{{Curve: "dh-2"}}, AA: "rsa-2048-sha256", Faults: map[string]bool{specimen.FaultNoChaining: true}})
		r, err := chip.Read(t.Context(), inBatches(card, batched), options(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		check(t, doc, r, lds.DG1, lds.DG2, lds.DG14, lds.DG15)
		if r.Access != "BAC" || r.CA != nil || r.AA != nil {
			t.Errorf("opened by %s, AA %v, CA %v", r.Access, r.AA != nil, r.CA != nil)
		}
	}
}

// TestClones are read, and their proofs are missing: the verdict refuses them.
func TestClones(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{specimen.FaultCloneWithoutAAKey, specimen.FaultOmittedAA} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			doc, card := issue(t, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}, Faults: map[string]bool{fault: true}})
			r, err := chip.Read(t.Context(), card, options(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("AA %v, CA %v", r.AA != nil, r.CA != nil)
			check(t, doc, r, lds.SOD, lds.DG1, lds.DG2)
		})
	}
}

// inBatches is the card as a way that carries one command at a time, or several.
func inBatches(card chip.Card, batched bool) chip.Card {
	if batched {
		return &batchCard{Card: card}
	}
	return card
}

// batchCard sends ahead, as a relay does, and counts its trips.
type batchCard struct {
	chip.Card
	trips int
}

func (b *batchCard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	b.trips++
	return b.Card.Transmit(ctx, command)
}

func (b *batchCard) TransmitBatch(ctx context.Context, commands [][]byte) ([][]byte, error) {
	b.trips++
	var out [][]byte
	for i, c := range commands {
		r, err := b.Card.Transmit(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		if i < len(commands)-1 && !bytes.HasSuffix(r, []byte{0x90, 0}) {
			break
		}
	}
	return out, nil
}

// TestBatchesSaveTrips: a reading over a relay costs at most a quarter of the trips,
// also where the chip refuses extended lengths or gives little at once.
func TestBatchesSaveTrips(t *testing.T) {
	t.Parallel()
	ca := []specimen.CAConfig{{Curve: "brainpoolP256r1"}}
	pace := specimen.AccessConfig{PACE: paceConfig("2.2", 13)}
	for name, cfg := range map[string]specimen.DocumentConfig{
		"BAC":                       {},
		"BAC, no extended":          {Faults: map[string]bool{specimen.FaultNoExtended: true}},
		"PACE, CA, AA":              {Access: pace, AA: "rsa-2048-sha256", CA: ca},
		"PACE, CA, no extended":     {Access: pace, CA: ca, Faults: map[string]bool{specimen.FaultNoExtended: true}},
		"PACE, CA, AA, no extended": {Access: pace, AA: "rsa-2048-sha256", CA: ca, Faults: map[string]bool{specimen.FaultNoExtended: true}},
		"PACE-CAM, no extended":     {Access: specimen.AccessConfig{PACE: paceConfig("6.2", 13)}, CA: ca, Faults: map[string]bool{specimen.FaultNoExtended: true}},
		"PACE, CA, limited":         {Access: pace, CA: ca, Faults: map[string]bool{specimen.FaultLimitedLe: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Portrait = portrait(15_000)
			doc, card := issue(t, cfg)
			opts := options(t, doc)
			opts.ShortOnly = true
			one, err := chip.Read(t.Context(), card, opts)
			if err != nil {
				t.Fatal(err)
			}
			card.Reset()
			b := &batchCard{Card: card}
			opts.ShortOnly = false
			many, err := chip.Read(t.Context(), b, opts)
			if err != nil {
				t.Fatal(err)
			}
			check(t, doc, many, lds.COM, lds.SOD, lds.DG1, lds.DG2)
			t.Logf("%d trips one by one, %d with batches (%d commands)", one.Trips, b.trips, many.Commands)
			if b.trips != many.Trips || 4*b.trips > one.Trips {
				t.Errorf("%d trips (%d counted) against %d", b.trips, many.Trips, one.Trips)
			}
			if slices.ContainsFunc(many.Deviations, func(d deviation.Deviation) bool { return d.Code == deviation.ChipReadAgain }) {
				t.Error("the document was opened twice")
			}
		})
	}
}

// TestDocumentsWithoutCOM are read by what EF.SOD lists, which is named.
func TestDocumentsWithoutCOM(t *testing.T) {
	t.Parallel()
	for _, batched := range []bool{false, true} {
		doc, _ := issue(t, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"})
		delete(doc.Files, lds.COM)
		card, err := specimen.NewChip(doc, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		r, err := chip.Read(t.Context(), inBatches(card, batched), options(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		check(t, doc, r, lds.SOD, lds.DG1, lds.DG2, lds.DG15)
		if !has(r, deviation.COMMissing) || r.AA == nil {
			t.Errorf("%v", r.Deviations)
		}
	}
}
