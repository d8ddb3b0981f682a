package mrtd_test

import (
	"bytes"
	"crypto"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drawPACE draws a PACEInfo, or nil.
func drawPACE(t *rapid.T) *specimen.PACEConfig {
	kind := rapid.SampledFrom([]int{0, 1, 2, 2, 2, 3, 4, 6}).Draw(t, "pace")
	if kind == 0 {
		return nil
	}
	suite := rapid.IntRange(1, 4).Draw(t, "pace suite")
	parameters := []int{8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}
	switch kind {
	case 1, 3:
		parameters = []int{0, 1, 2}
	case 4: // the integrated mapping needs a prime of 3 modulo 4
		parameters = []int{9, 11, 12, 13, 14, 15, 16, 17, 18}
	case 6:
		suite = max(suite, 2)
	}
	return &specimen.PACEConfig{Protocol: fmt.Sprintf("0.4.0.127.0.7.2.2.4.%d.%d", kind, suite), ParameterID: rapid.SampledFrom(parameters).Draw(t, "pace parameters"),
		Explicit: rapid.Bool().Draw(t, "pace parameters written out")}
}

func drawCA(t *rapid.T) []specimen.CAConfig {
	var out []specimen.CAConfig
	for n := range rapid.IntRange(0, 2).Draw(t, "chip authentication keys") {
		curve := rapid.SampledFrom([]string{"P-224", "P-256", "P-384", "P-521", "brainpoolP224r1", "brainpoolP256r1", "brainpoolP320r1",
			"brainpoolP512r1", "dh-0", "dh-1", "dh-2"}).Draw(t, "chip authentication key")
		kind := 2
		if strings.HasPrefix(curve, "dh-") {
			kind = 1
		}
		out = append(out, specimen.CAConfig{Curve: curve, KeyID: n + 1,
			Protocol: fmt.Sprintf("0.4.0.127.0.7.2.2.3.%d.%d", kind, rapid.IntRange(1, 4).Draw(t, "chip authentication suite"))})
	}
	return out
}

// TestReaderAndChipAgreeAcrossTheMatrix draws documents of every combination of
// access protocol, key agreement, proof, hash and harmless quirk; each is opened
// by the protocol it offers, read octet for octet, judged genuine, and proved
// where it has a key.
func TestReaderAndChipAgreeAcrossTheMatrix(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store := storeOf(t, i)
	rapid.Check(t, func(r *rapid.T) {
		cfg := specimen.DocumentConfig{CAN: "123456", Portrait: append(portrait(), bytes.Repeat([]byte{7}, rapid.IntRange(0, 5000).Draw(r, "more portrait"))...),
			CA:     drawCA(r),
			Access: specimen.AccessConfig{PACE: drawPACE(r)},
			AA:     rapid.SampledFrom([]specimen.Algorithm{"", "rsa-1024-sha1", "rsa-2048-sha256", "rsa-3072-sha512", "ecdsa-P-256-sha256", "ecdsa-brainpoolP384r1-sha384", "ecdsa-P-521-sha512"}).Draw(r, "aa"),
			Hash:   rapid.SampledFrom([]crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512}).Draw(r, "hash"),
			Zone:   mrz.Fields{Format: rapid.SampledFrom([]mrz.Format{mrz.TD1, mrz.TD2, mrz.TD3}).Draw(r, "format")},
			Faults: map[string]bool{rapid.SampledFrom([]string{"", "", specimen.FaultNoExtended, specimen.FaultNoExtended, specimen.FaultLimitedLe, specimen.FaultAADER,
				specimen.FaultLeOnSelect, specimen.FaultExactLe, specimen.FaultDHShort, specimen.FaultDHPadded, specimen.FaultResetMidRead, specimen.FaultParameterID, specimen.FaultCAKeyID, specimen.FaultCAMLastKey, specimen.FaultNoSFI, specimen.FaultMasterFileForm,
				specimen.FaultInApplication}).Draw(r, "quirk"): true}}
		cfg.Access.BAC = cfg.Access.PACE == nil || rapid.Bool().Draw(r, "bac too")
		d, err := i.Issue(cfg)
		if err != nil {
			r.Fatal(err)
		}
		opts := inspectOptions(t, d)
		if cfg.Access.PACE != nil && rapid.Bool().Draw(r, "by CAN") {
			opts.Read.Access = chip.Access{CAN: pii.NewText("123456")}
		}
		opts.Read.ShortOnly = rapid.Bool().Draw(r, "short only")
		x, err := mrtd.Inspect(t.Context(), insert(t, d), store, opts)
		if err != nil {
			r.Fatalf("%v", err)
		}
		defer x.Wipe()
		proved := cfg.AA != "" || len(d.CAKeys) > 0
		if v := x.Verdict; !v.Genuine || v.ChipAuthentic != proved || v.Access != accessName(cfg) {
			explain(t, v)
			r.Fatalf("genuine %v, proved %v (want %v), by %s", v.Genuine, v.ChipAuthentic, proved, v.Access)
		}
		for id, want := range d.Files {
			if got := x.Evidence.File(id); got != nil && !bytes.Equal(got, want) {
				r.Fatalf("%s differs", id)
			}
		}
	})
}

func accessName(cfg specimen.DocumentConfig) string {
	if cfg.Access.PACE == nil {
		return "BAC"
	}
	switch strings.Split(cfg.Access.PACE.Protocol, ".")[9] {
	case "3", "4":
		return "PACE-IM"
	case "6":
		return "PACE-CAM"
	}
	return "PACE-GM"
}
