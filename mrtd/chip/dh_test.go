package chip_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ipse/mrtd/chip"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
)

// TestShortNumbersOfDH: a chip whose number is shorter than the prime is opened by
// PACE whether it leaves the zero octets out, as the standard asks, or writes them,
// which is named.
func TestShortNumbersOfDH(t *testing.T) {
	t.Parallel()
	for fault, named := range map[string]bool{specimen.FaultDHShort: false, specimen.FaultDHPadded: true} {
		for _, protocol := range []string{"1.2", "1.1", "3.2", "3.4"} {
			t.Run(fault+" "+protocol, func(t *testing.T) {
				t.Parallel()
				doc, card := issue(t, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "dh-0"}},
					Access: specimen.AccessConfig{BAC: true, PACE: paceConfig(protocol, 0)}, Faults: map[string]bool{fault: true}})
				r, err := chip.Read(t.Context(), card, options(t, doc))
				if err != nil {
					t.Fatal(err)
				}
				check(t, doc, r, lds.DG1, lds.DG2, lds.DG14)
				if r.Access[:4] != "PACE" || r.CA == nil || has(r, deviation.ChipDHNumber) != named || has(r, deviation.ChipPACERefused) {
					t.Errorf("opened by %s, CA %v, deviations %v", r.Access, r.CA != nil, r.Deviations)
				}
			})
		}
	}
}

func has(r *chip.Reading, c deviation.Code) bool {
	return slices.ContainsFunc(r.Deviations, func(d deviation.Deviation) bool { return d.Code == c })
}

// refusingOnce answers the first authentication token with 6300.
type refusingOnce struct {
	chip.Card
	tokens int
}

func (c *refusingOnce) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	response, err := c.Card.Transmit(ctx, command)
	if command[0] == 0 && command[1] == apdu.GeneralAuthenticate {
		if c.tokens++; c.tokens == 1 {
			return []byte{0x63, 0x00}, err
		}
	}
	return response, err
}

// TestARefusedTokenOverAShortNumber may be a matter of zero octets: PACE is tried once
// more then, and only then.
func TestARefusedTokenOverAShortNumber(t *testing.T) {
	t.Parallel()
	for fault, again := range map[string]bool{specimen.FaultDHShort: true, "": false} {
		doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: paceConfig("1.2", 0)}, Faults: map[string]bool{fault: true}})
		way := &refusingOnce{Card: card}
		r, err := chip.Read(t.Context(), way, options(t, doc))
		if again && (err != nil || r.Access != "PACE-GM" || way.tokens != 2) {
			t.Errorf("%d tokens: %v", way.tokens, err)
		}
		if !again && (!errors.Is(err, chip.ErrAccessDenied) || way.tokens != 1) {
			t.Errorf("no short number, %d tokens: %v", way.tokens, err)
		}
	}
	// A wrong password stays one: two tokens, no more.
	doc, card := issue(t, specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: paceConfig("1.2", 0)}, Faults: map[string]bool{specimen.FaultDHShort: true}})
	opts := options(t, doc)
	opts.Access.BirthDate = text("000101")
	way := &refusingOnce{Card: card}
	if _, err := chip.Read(t.Context(), way, opts); !errors.Is(err, chip.ErrAccessDenied) || way.tokens != 2 {
		t.Errorf("wrong password, %d tokens: %v", way.tokens, err)
	}
}
