package tlv

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The BAC example of ICAO 9303-11 appendix D.4: EF.COM as read there.
const efCOM = "60 14 5F01 04 30313036 5F36 06 303430303030 5C 02 61 75"

func TestReadsTheWorkedExampleOfEFCOM(t *testing.T) {
	t.Parallel()
	com, err := Parse(unhex(t, efCOM))
	if err != nil {
		t.Fatal(err)
	}
	r := com.Reader()
	for _, want := range []struct {
		tag    Tag
		value  string
		offset int
	}{{0x5F01, "0106", 2}, {0x5F36, "040000", 9}, {0x5C, "au", 18}} {
		e, err := r.Expect(want.tag)
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Value) != want.value || e.Offset != want.offset {
			t.Errorf("tag %s: value %q at %d, want %q at %d", e.Tag, e.Value, e.Offset, want.value, want.offset)
		}
	}
	if err := r.Done(); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in     string
		want   error
		offset int
	}{
		"empty input":                  {"", ErrTruncated, 0},
		"no length":                    {"30", ErrTruncated, 1},
		"value cut":                    {"3003 0201", ErrTruncated, 0},
		"identifier cut":               {"5F", ErrTruncated, 0},
		"identifier of five octets":    {"7F81818101 00", ErrTag, 0},
		"identifier with zero padding": {"7F8001 00", ErrTag, 0},
		"length of nine octets":        {"30 89 000000000000000001 00", ErrLength, 1},
		"length beyond the limit":      {"30 84 7FFFFFFF", ErrLength, 1},
		"length near overflow":         {"30 88 FFFFFFFFFFFFFFFF", ErrLength, 1},
		"trailing byte":                {"0500 00", ErrTrailing, 2},
		"indefinite primitive":         {"0480 0000", ErrLength, 0},
		"indefinite without end":       {"3080 0500", ErrTruncated, 4},
		"end of contents with a value": {"3080 0001", ErrLength, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(unhex(t, c.in))
			var at *Error
			if !errors.Is(err, c.want) || !errors.As(err, &at) || at.Offset != c.offset {
				t.Errorf("got %v, want %v at %d", err, c.want, c.offset)
			}
		})
	}
}

func TestIndefiniteLengthsNest(t *testing.T) {
	t.Parallel()
	in := unhex(t, "3080 2480 0401AA 0401BB 0000 0500 0000")
	e, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Indefinite || !bytes.Equal(e.Value, in[2:len(in)-2]) || e.ValueOffset() != 2 {
		t.Errorf("value %X at %d", e.Value, e.ValueOffset())
	}
	kids, err := e.Children()
	if err != nil || len(kids) != 2 || kids[0].Tag != 0x24 || kids[1].Tag != Null || kids[1].Offset != 12 {
		t.Errorf("children %v %v", kids, err)
	}
	if !IsBER(in) || IsBER(unhex(t, efCOM)) || !IsBER(unhex(t, "30 8100")) {
		t.Error("IsBER tells DER from BER wrongly")
	}
}

func TestDeepNestingIsRefusedWithoutRecursion(t *testing.T) {
	t.Parallel()
	var at *Error
	_, err := Parse(bytes.Repeat([]byte{0x30, 0x80}, 1<<20))
	if !errors.Is(err, ErrDepth) || !errors.As(err, &at) {
		t.Errorf("indefinite bomb: %v", err)
	}
	deep := []byte{}
	for range MaxDepth + 5 {
		deep = Encode(Sequence, deep)
	}
	if err := Walk(deep, func(Element, int) error { return nil }); !errors.Is(err, ErrDepth) {
		t.Errorf("walk: %v", err)
	}
}

func TestTooManyElementsAreRefused(t *testing.T) {
	t.Parallel()
	many := Encode(Sequence, bytes.Repeat([]byte{0x05, 0x00}, MaxElements+1))
	e, err := Parse(many)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Children(); !errors.Is(err, ErrCount) {
		t.Errorf("children: %v", err)
	}
}

func TestEncodeRoundTripsEveryLengthForm(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536} {
		for _, tag := range []Tag{Sequence, 0x5F1F, 0x7F61, 0x61, Context(0), ContextConstructed(3)} {
			value := bytes.Repeat([]byte{7}, n)
			e, err := Parse(Encode(tag, value[:n/2], value[n/2:]))
			if err != nil || e.Tag != tag || !bytes.Equal(e.Value, value) || e.NonMinimal {
				t.Errorf("tag %s length %d: %v", tag, n, err)
			}
		}
	}
}

func TestOptionalAndExpectNameWhatTheyMeet(t *testing.T) {
	t.Parallel()
	r := NewReader(unhex(t, "0500 0101FF"))
	if _, ok, err := r.Optional(Integer); ok || err != nil {
		t.Error("an absent optional was found")
	}
	var at *Error
	if _, err := r.Expect(Integer); !errors.As(err, &at) || at.Tag != Null || !errors.Is(err, ErrUnwanted) {
		t.Errorf("expect: %v", err)
	}
	if _, err := r.Expect(Null); err != nil {
		t.Error(err)
	}
	if err := r.Done(); !errors.Is(err, ErrTrailing) {
		t.Error("trailing element not reported")
	}
	if e, ok := Find(unhex(t, "0500 0101FF"), Boolean); !ok || e.Offset != 2 {
		t.Error("Find missed the element")
	}
}

// FuzzParse: whatever parses lies inside the input, and re-encoding a definite
// element's tag and value in DER parses back to the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{efCOM, "3080 2480 0401AA 0000 0000", "7F6103020101", "30 8100", "0480 0000"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, n, err := ParsePrefix(in)
		if err != nil {
			var at *Error
			if !errors.As(err, &at) || at.Offset < 0 || at.Offset > len(in) {
				t.Fatalf("error without a place inside the input: %v", err)
			}
			return
		}
		if n != len(e.Raw) || n > len(in) || len(e.Value) > n || !bytes.Equal(in[:n], e.Raw) {
			t.Fatal("element does not lie inside its input")
		}
		again, err := Parse(Encode(e.Tag, e.Value))
		if err != nil || again.Tag != e.Tag || !bytes.Equal(again.Value, e.Value) {
			t.Fatalf("DER form does not parse back: %v", err)
		}
		_ = Walk(in, func(e Element, depth int) error {
			if depth >= MaxDepth || e.ValueOffset()+len(e.Value) > len(in) {
				t.Fatal("walk left its bounds")
			}
			return nil
		})
	})
}
