package chip_test

import (
	"testing"

	"ipse/mrtd/chip"
	"ipse/mrtd/specimen"
)

// BenchmarkOpen is the access protocol as the reader runs it against the software
// chip: both ends are in the figures.
func BenchmarkOpen(b *testing.B) {
	for name, access := range map[string]specimen.AccessConfig{
		"BAC":                      {BAC: true},
		"PACE-GM brainpoolP256r1":  {PACE: paceConfig("2.2", 13)},
		"PACE-IM brainpoolP256r1":  {PACE: paceConfig("4.2", 13)},
		"PACE-CAM brainpoolP256r1": {PACE: paceConfig("6.2", 13)},
		"PACE-GM P-256":            {PACE: paceConfig("2.2", 12)},
		"PACE-GM DH 2048":          {PACE: paceConfig("1.2", 2)},
	} {
		b.Run(name, func(b *testing.B) {
			doc, card := issue(b, specimen.DocumentConfig{Access: access, CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}})
			opts := options(b, doc)
			b.ReportAllocs()
			for b.Loop() {
				card.Reset()
				if _, err := chip.Open(b.Context(), card, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead is a whole reading: PACE, chip and active authentication, a portrait
// of 15,000 octets.
func BenchmarkRead(b *testing.B) {
	for name, short := range map[string]bool{"short": true, "extended": false} {
		b.Run(name, func(b *testing.B) {
			doc, card := issue(b, specimen.DocumentConfig{Portrait: portrait(15_000), Access: specimen.AccessConfig{PACE: paceConfig("2.2", 13)},
				AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}})
			opts := options(b, doc)
			opts.ShortOnly = short
			b.ReportAllocs()
			for b.Loop() {
				card.Reset()
				r, err := chip.Read(b.Context(), card, opts)
				if err != nil {
					b.Fatal(err)
				}
				r.Wipe()
			}
		})
	}
}
