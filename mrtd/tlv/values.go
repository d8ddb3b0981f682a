package tlv

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// ErrValue reports contents octets that do not encode a value of the tag's type.
var ErrValue = errors.New("invalid value")

// ObjectIdentifier returns the value of an OBJECT IDENTIFIER in dotted form.
func (e Element) ObjectIdentifier() (string, error) {
	if len(e.Value) == 0 || len(e.Value) > 64 || e.Value[len(e.Value)-1]&0x80 != 0 {
		return "", e.Err(ErrValue)
	}
	buf := make([]byte, 0, 64)
	var arc uint64
	first := true
	for _, b := range e.Value {
		if arc == 0 && b == 0x80 || arc > 1<<56 { // X.690 §8.19.2: no padding
			return "", e.Err(ErrValue)
		}
		arc = arc<<7 | uint64(b&0x7F)
		if b&0x80 != 0 {
			continue
		}
		if first {
			root := min(arc/40, 2)
			buf = strconv.AppendUint(buf, root, 10)
			arc -= root * 40
			first = false
		}
		buf = strconv.AppendUint(append(buf, '.'), arc, 10)
		arc = 0
	}
	return string(buf), nil
}

// EncodeOID returns the OBJECT IDENTIFIER element for a dotted form, or nil if
// that is not one.
func EncodeOID(dotted string) []byte {
	arcs := strings.Split(dotted, ".")
	if len(arcs) < 2 {
		return nil
	}
	var value []byte
	var head uint64
	for i, s := range arcs {
		arc, err := strconv.ParseUint(s, 10, 56)
		if err != nil {
			return nil
		}
		switch i {
		case 0:
			if arc > 2 {
				return nil
			}
			head = arc * 40
			continue
		case 1:
			if head < 80 && arc >= 40 {
				return nil
			}
			arc += head
		}
		n := 1
		for v := arc >> 7; v > 0; v >>= 7 {
			n++
		}
		for k := n - 1; k >= 0; k-- {
			b := byte(arc>>(7*k)) & 0x7F
			if k > 0 {
				b |= 0x80
			}
			value = append(value, b)
		}
	}
	return Encode(OID, value)
}

// BigInt returns the value of an INTEGER, two's complement.
func (e Element) BigInt() (*big.Int, error) {
	if len(e.Value) == 0 {
		return nil, e.Err(ErrValue)
	}
	n := new(big.Int).SetBytes(e.Value)
	if e.Value[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.Value))))
	}
	return n, nil
}

// UnsignedInt returns the value of an INTEGER read as if it were unsigned, for
// moduli and coordinates whose writers forgot the leading zero.
func (e Element) UnsignedInt() (*big.Int, error) {
	if len(e.Value) == 0 {
		return nil, e.Err(ErrValue)
	}
	return new(big.Int).SetBytes(e.Value), nil
}

// Int returns the value of a small INTEGER or ENUMERATED.
func (e Element) Int() (int, error) {
	if len(e.Value) == 0 || len(e.Value) > 4 {
		return 0, e.Err(ErrValue)
	}
	n := int32(int8(e.Value[0]))
	for _, b := range e.Value[1:] {
		n = n<<8 | int32(b)
	}
	return int(n), nil
}

// EncodeInteger returns the INTEGER element for n.
func EncodeInteger(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return Encode(Integer, b)
	}
	size := uint(n.BitLen()/8 + 1)
	return Encode(Integer, new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 8*size)).Bytes())
}

// EncodeInt returns the INTEGER element for n.
func EncodeInt(n int) []byte { return EncodeInteger(big.NewInt(int64(n))) }

// Bits returns the octets of a BIT STRING and the number of unused bits at its end.
func (e Element) Bits() (octets []byte, unused int, err error) {
	if len(e.Value) == 0 || e.Value[0] > 7 || len(e.Value) == 1 && e.Value[0] != 0 {
		return nil, 0, e.Err(ErrValue)
	}
	return e.Value[1:], int(e.Value[0]), nil
}

// Octets returns the value of an OCTET STRING. One in constructed form (BER:
// tag 0x24, or an implicit tag with the constructed bit) is put together.
func (e Element) Octets() ([]byte, error) {
	if !e.Tag.Constructed() {
		return e.Value, nil
	}
	var out []byte
	err := Walk(e.Value, func(part Element, _ int) error {
		switch part.Tag {
		case OctetString:
			out = append(out, part.Value...)
		case OctetString | 0x20:
		default:
			return &Error{Offset: e.ValueOffset() + part.Offset, Reason: ErrUnwanted, Tag: part.Tag}
		}
		return nil
	})
	return out, err
}

// Bool returns the value of a BOOLEAN; any octet but zero is true, as in BER.
func (e Element) Bool() (bool, error) {
	if len(e.Value) != 1 {
		return false, e.Err(ErrValue)
	}
	return e.Value[0] != 0, nil
}

// Time returns the value of a UTCTime or GeneralizedTime in UTC. Years of two
// digits from 50 are of the twentieth century (RFC 5280 §4.1.2.5.1). Missing
// seconds, fractions and offsets, which DER forbids and documents hold, are read.
func (e Element) Time() (time.Time, error) {
	s := string(e.Value)
	if len(s) > 32 {
		return time.Time{}, e.Err(ErrValue)
	}
	layouts := [...]string{"20060102150405Z", "20060102150405Z0700", "20060102150405.999999999Z", "200601021504Z", "20060102150405"}
	switch e.Tag {
	case UTCTime:
		if len(s) < 2 || s[0] < '0' || s[0] > '9' {
			return time.Time{}, e.Err(ErrValue)
		}
		if s[0] >= '5' {
			s = "19" + s
		} else {
			s = "20" + s
		}
	case GeneralizedTime:
	default:
		return time.Time{}, e.Err(ErrUnwanted)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, e.Err(ErrValue)
}

// EncodeTime returns t as UTCTime through 2049 and as GeneralizedTime after
// (RFC 5280 §4.1.2.5).
func EncodeTime(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return Encode(UTCTime, []byte(t.Format("060102150405Z")))
	}
	return Encode(GeneralizedTime, []byte(t.Format("20060102150405Z")))
}
