package tlv

import (
	"bytes"
	"errors"
	"math/big"
	"testing"
	"time"
)

func TestObjectIdentifiersRoundTrip(t *testing.T) {
	t.Parallel()
	for dotted, der := range map[string]string{ // X.690 §8.19.5 and openssl asn1parse
		"2.100.3":              "0603 813403",
		"1.2.840.113549.1.1.1": "0609 2A864886F70D010101",
		"2.23.136.1.1.1":       "0606 678108010101",
		"0.4.0.127.0.7.2.2.4":  "0608 04007F0007020204",
	} {
		want := unhex(t, der)
		if got := EncodeOID(dotted); !bytes.Equal(got, want) {
			t.Errorf("%s encodes as %X, want %X", dotted, got, want)
		}
		e, err := Parse(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.ObjectIdentifier(); err != nil || got != dotted {
			t.Errorf("%X decodes as %q: %v", want, got, err)
		}
	}
	for _, bad := range []string{"", "1", "1.40.1", "3.1", "1.x", "1..2"} {
		if EncodeOID(bad) != nil {
			t.Errorf("%q encoded", bad)
		}
	}
	for _, bad := range []string{"0600", "060180", "06022A80", "0602802A"} {
		e, err := Parse(unhex(t, bad))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.ObjectIdentifier(); !errors.Is(err, ErrValue) {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestIntegersRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 127, 128, 255, 256, -1, -128, -129, 1 << 40, -(1 << 40)} {
		e, err := Parse(EncodeInteger(big.NewInt(n)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.BigInt()
		if err != nil || got.Int64() != n {
			t.Errorf("%d came back as %v (%v)", n, got, err)
		}
		if len(e.Value) <= 4 {
			if small, err := e.Int(); err != nil || int64(small) != n {
				t.Errorf("%d came back as %d (%v)", n, small, err)
			}
		}
	}
}

func TestTimesAreReadAsRealCertificatesWriteThem(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 5, 28, 10, 11, 12, 0, time.UTC)
	for _, c := range []struct {
		tag  Tag
		text string
		want time.Time
	}{
		{UTCTime, "260528101112Z", want},
		{UTCTime, "2605281011Z", want.Truncate(time.Minute)},
		{UTCTime, "260528121112+0200", want},
		{UTCTime, "500101000000Z", time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
		{GeneralizedTime, "20260528101112Z", want},
		{GeneralizedTime, "20260528101112.5Z", want.Add(time.Second / 2)},
	} {
		got, err := Element{Tag: c.tag, Value: []byte(c.text)}.Time()
		if err != nil || !got.Equal(c.want) {
			t.Errorf("%s: %v %v", c.text, got, err)
		}
	}
	for _, bad := range []string{"", "2", "991332000000Z", "20260528101112Z0700X"} {
		if _, err := (Element{Tag: UTCTime, Value: []byte(bad)}).Time(); !errors.Is(err, ErrValue) {
			t.Errorf("%q accepted", bad)
		}
	}
	for _, at := range []time.Time{want, time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)} {
		e, err := Parse(EncodeTime(at))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Time(); err != nil || !got.Equal(at) {
			t.Errorf("%v came back as %v", at, got)
		}
	}
}

func TestConstructedOctetStringsArePutTogether(t *testing.T) {
	t.Parallel()
	e, err := Parse(unhex(t, "2480 0402AABB 2403 0401CC 0000"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Octets(); err != nil || !bytes.Equal(got, []byte{0xAA, 0xBB, 0xCC}) {
		t.Errorf("%X %v", got, err)
	}
	e, _ = Parse(unhex(t, "2403 020101"))
	if _, err := e.Octets(); !errors.Is(err, ErrUnwanted) {
		t.Errorf("an INTEGER inside an OCTET STRING: %v", err)
	}
}

func TestToDERChangesLengthsAlone(t *testing.T) {
	t.Parallel()
	got, err := ToDER(unhex(t, "3080 2480 0401AA 0000 308103 020105 0000"))
	if err != nil || !bytes.Equal(got, unhex(t, "300A 2403 0401AA 3003 020105")) {
		t.Errorf("%X %v", got, err)
	}
	if _, err := ToDER(unhex(t, "3003 0205")); err == nil {
		t.Error("truncated input accepted")
	}
}

// The shortcuts for common identifiers and times say what the general readers say.
func TestShortcutsAgreeWithTheGeneralReaders(t *testing.T) {
	t.Parallel()
	for _, dotted := range []string{"2.5.4.3", "2.5.4.5", "2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.29.14", "2.5.29.15", "2.5.29.16", "2.5.29.17",
		"2.5.29.18", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.35", "1.2.840.10045.1.1", "1.2.840.10045.2.1", "1.2.840.10045.4.3.2",
		"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"} {
		e, err := Parse(EncodeOID(dotted))
		if err != nil || knownOID(e.Value) != dotted {
			t.Errorf("%s: %q, %v", dotted, knownOID(e.Value), err)
		}
	}
	for _, s := range []string{"20260229120000Z", "20240229235959Z", "20261301000000Z", "20260132000000Z", "20260101240000Z", "20260101006000Z",
		"20260101000060Z", "20260001000000Z", "00010101000000Z", "99991231235959Z", "2026010100000xZ"} {
		want, err := time.Parse("20060102150405Z", s)
		got, ok := plainTime(s)
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v %v", s, got, ok, want, err)
		}
	}
}
