package apdu

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// TestCases covers the seven encodings of ISO/IEC 7816-4 §5.1.
func TestCases(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{7}, 256)
	for name, tc := range map[string]struct {
		c    Command
		want []byte
	}{
		"1":                {Command{CLA: 0, INS: 0x84}, []byte{0, 0x84, 0, 0}},
		"2 short":          {Command{INS: 0x84, Ne: 8}, []byte{0, 0x84, 0, 0, 8}},
		"2 short, 256":     {Command{INS: 0xB0, Ne: 256}, []byte{0, 0xB0, 0, 0, 0}},
		"2 extended":       {Command{INS: 0xB0, Ne: 257}, []byte{0, 0xB0, 0, 0, 0, 1, 1}},
		"2 extended, all":  {Command{INS: 0xB0, Ne: 65536}, []byte{0, 0xB0, 0, 0, 0, 0, 0}},
		"3 short":          {Command{INS: 0xA4, P1: 2, P2: 0xC, Data: []byte{1, 0x1E}}, []byte{0, 0xA4, 2, 0xC, 2, 1, 0x1E}},
		"3 extended":       {Command{INS: 0x22, Data: long}, append([]byte{0, 0x22, 0, 0, 0, 1, 0}, long...)},
		"4 short":          {Command{INS: 0x88, Data: []byte{1}, Ne: 256}, []byte{0, 0x88, 0, 0, 1, 1, 0}},
		"4 extended":       {Command{INS: 0x88, Data: []byte{1}, Ne: 65536}, []byte{0, 0x88, 0, 0, 0, 0, 1, 1, 0, 0}},
		"4 extended asked": {Command{INS: 0x88, Data: []byte{1}, Ne: 256, Extended: true}, []byte{0, 0x88, 0, 0, 0, 0, 1, 1, 1, 0}},
	} {
		got, err := tc.c.Encode()
		if err != nil || !bytes.Equal(got, tc.want) {
			t.Errorf("case %s: % X (%v)", name, got, err)
		}
	}
}

// TestRoundTrip: what is encoded is read back.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := Command{
			CLA: rapid.Byte().Draw(rt, "cla"), INS: rapid.Byte().Draw(rt, "ins"),
			P1: rapid.Byte().Draw(rt, "p1"), P2: rapid.Byte().Draw(rt, "p2"),
			Data:     rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(rt, "data"),
			Ne:       rapid.IntRange(0, MaxNe).Draw(rt, "ne"),
			Extended: rapid.Bool().Draw(rt, "extended"),
		}
		b, err := c.Encode()
		if err != nil {
			rt.Fatal(err)
		}
		got, err := Parse(b)
		if err != nil {
			rt.Fatal(err)
		}
		if got.Header() != c.Header() || !bytes.Equal(got.Data, c.Data) || got.Ne != c.Ne {
			rt.Fatalf("%+v became %+v", c, got)
		}
	})
}

// TestChain: the parts hold the data in order, all but the last marked (ISO/IEC 7816-4 §5.3.3).
func TestChain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := Command{CLA: rapid.SampledFrom([]byte{0, Chained}).Draw(rt, "cla"), INS: GeneralAuthenticate, Ne: MaxShortNe,
			Data: rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(rt, "data")}
		size := rapid.IntRange(1, MaxShortData).Draw(rt, "size")
		parts := c.Chain(size)
		var data []byte
		for i, p := range parts {
			last := i == len(parts)-1
			if !last && (p.CLA != Chained || p.Ne != 0 || len(p.Data) != size) || last && (p.CLA != c.CLA || p.Ne != c.Ne || len(p.Data) > size) || p.Extended {
				rt.Fatalf("part %d of %d is %+v", i, len(parts), p)
			}
			data = append(data, p.Data...)
		}
		if !bytes.Equal(data, c.Data) || len(parts) != max(1, (len(c.Data)+size-1)/size) {
			rt.Fatalf("%d octets in %d parts of %d", len(data), len(parts), size)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{
		nil, {0, 0xA4, 0}, {0, 0xA4, 0, 0, 5, 1}, {0, 0xA4, 0, 0, 1, 1, 0, 0}, {0, 0xA4, 0, 0, 0, 1},
		{0, 0xA4, 0, 0, 0, 0, 0, 1}, {0, 0xA4, 0, 0, 0, 0, 2, 1}, {0, 0xA4, 0, 0, 0, 0, 1, 1, 0},
		make([]byte, MaxCommand+1),
	} {
		if c, err := Parse(b); !errors.Is(err, ErrCommand) {
			t.Errorf("%d octets: %+v, %v", len(b), c, err)
		}
	}
	for _, c := range []Command{{Data: make([]byte, MaxData+1)}, {Ne: -1}, {Ne: MaxNe + 1}} {
		if _, err := c.Encode(); !errors.Is(err, ErrCommand) {
			t.Errorf("encoded %d octets, Ne %d: %v", len(c.Data), c.Ne, err)
		}
	}
	for _, b := range [][]byte{nil, {0x90}, make([]byte, MaxResponse+1)} {
		if _, err := ParseResponse(b); !errors.Is(err, ErrResponse) {
			t.Errorf("response of %d octets: %v", len(b), err)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	r, err := ParseResponse([]byte{1, 2, 0x62, 0x82})
	if err != nil || r.SW != EndOfFile || !r.SW.Warning() || r.SW.Error() || !bytes.Equal(r.Encode(), []byte{1, 2, 0x62, 0x82}) {
		t.Errorf("%+v, %v", r, err)
	}
	if Status(0x6C00).ExactLe() != 256 || Status(0x6C10).ExactLe() != 16 || OK.ExactLe() != 0 {
		t.Error("6Cxx is misread")
	}
	if !SecurityStatus.Error() || !AuthenticationFailed.Error() || OK.Error() || Status(0x6105).Error() {
		t.Error("errors and successes are confused")
	}
}

// FuzzCommand: whatever parses encodes to something that parses to the same.
func FuzzCommand(f *testing.F) {
	f.Add([]byte{0, 0xA4, 4, 0xC, 7, 0xA0, 0, 0, 2, 0x47, 0x10, 1})
	f.Add([]byte{0, 0xB0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("% X became % X (%v)", b, again, err)
		}
	})
}
