package relay

import (
	"bytes"
	"testing"
	"time"
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

// FuzzParseCode: a code that parses has eight digits.
func FuzzParseCode(f *testing.F) {
	f.Add("1234-5678")
	f.Add("١٢٣٤٥٦٧٨")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseCode(typed)
		if ok && len(code) != 8 {
			t.Errorf("%q parses to %q", typed, code)
		}
	})
}

func TestLimiterForgetsAfterAMinuteAndIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, 100)
	l.maxKept = 3
	now := time.Unix(1_800_000_000, 0)
	for _, addr := range []string{"a", "b", "c", "d", "e"} {
		l.fail(addr, now)
	}
	if len(l.wrong) > 4 {
		t.Errorf("%d addresses remembered", len(l.wrong))
	}
	if l.wait("a", now) != 0 || l.wait("f", now) == 0 {
		t.Error("an address of its own and the shared count are mixed up")
	}
	if l.wait("f", now.Add(time.Minute)) != 0 {
		t.Error("still limited after a minute")
	}
	all := newLimiter(10, 3)
	for i := range 3 {
		all.fail(string(rune('a'+i)), now)
	}
	if all.wait("z", now) == 0 {
		t.Error("the limit of all addresses together is not enforced")
	}
}
