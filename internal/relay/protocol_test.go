package relay

import (
	"bytes"
	"crypto/rand"
	"math"
	"strings"
	"testing"
)

// FuzzDecodeFrame: whatever decodes encodes to the same bytes, and every item
// lies within its bounds.
func FuzzDecodeFrame(f *testing.F) {
	f.Add([]byte{0x02, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0x90, 0})
	f.Add([]byte{0x01, 0, 0, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0xA4, 0, 0})
	f.Add([]byte{0x02, 0, 0, 0, 1, 2, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, kind := range []byte{kindCommands, kindAnswers} {
			got, err := decodeFrame(raw, kind)
			if err != nil {
				continue
			}
			for _, item := range got.items {
				if len(item) < minAnswer || len(item) > maxCommand && kind == kindCommands || len(item) > maxAnswer {
					t.Errorf("an item of %d bytes", len(item))
				}
			}
			again, err := got.encode()
			if err != nil || !bytes.Equal(again, raw) {
				t.Errorf("encodes to %x, %v", again, err)
			}
		}
	})
}

// FuzzParseCode: a code that parses is one that could have been drawn.
func FuzzParseCode(f *testing.F) {
	f.Add("acdef-GHJKM")
	f.Add("acdef ghjkm")
	f.Add("١٢٣٤٥٦٧٨٩٠")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseCode(typed)
		if ok && (len(code) != codeLength || strings.Trim(code, codeAlphabet) != "") {
			t.Errorf("%q parses to %q", typed, code)
		}
	})
}

// TestCodesAreTooManyToGuess: a million wrong codes a minute, for the five minutes
// that ten thousand codes are valid, find one in less than one case of a thousand.
func TestCodesAreTooManyToGuess(t *testing.T) {
	t.Parallel()
	if hit := 5 * 1e6 * 1e4 / math.Pow(float64(len(codeAlphabet)), codeLength); hit > 1e-3 {
		t.Errorf("probability %g", hit)
	}
	seen := map[string]bool{}
	for range 1000 {
		code, err := drawCode(rand.Reader)
		if err != nil || len(code) != codeLength || seen[code] {
			t.Fatalf("%d characters, drawn before: %t, %v", len(code), seen[code], err)
		}
		seen[code] = true
	}
}
