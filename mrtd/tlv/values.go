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
	if known := knownOID(e.Value); known != "" {
		return known, nil
	}
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

// knownOID spares the allocation of what every certificate holds: attribute types of
// names and extensions (2.5.4.n, 2.5.29.n), and key and signature algorithms.
func knownOID(b []byte) string {
	switch string(b) {
	case "\x55\x04\x03":
		return "2.5.4.3"
	case "\x55\x04\x05":
		return "2.5.4.5"
	case "\x55\x04\x06":
		return "2.5.4.6"
	case "\x55\x04\x0A":
		return "2.5.4.10"
	case "\x55\x04\x0B":
		return "2.5.4.11"
	case "\x55\x1D\x0E":
		return "2.5.29.14"
	case "\x55\x1D\x0F":
		return "2.5.29.15"
	case "\x55\x1D\x10":
		return "2.5.29.16"
	case "\x55\x1D\x11":
		return "2.5.29.17"
	case "\x55\x1D\x12":
		return "2.5.29.18"
	case "\x55\x1D\x13":
		return "2.5.29.19"
	case "\x55\x1D\x1F":
		return "2.5.29.31"
	case "\x55\x1D\x20":
		return "2.5.29.32"
	case "\x55\x1D\x23":
		return "2.5.29.35"
	case "\x2A\x86\x48\xCE\x3D\x01\x01":
		return "1.2.840.10045.1.1"
	case "\x2A\x86\x48\xCE\x3D\x02\x01":
		return "1.2.840.10045.2.1"
	case "\x2A\x86\x48\xCE\x3D\x04\x03\x02":
		return "1.2.840.10045.4.3.2"
	case "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01":
		return "1.2.840.113549.1.1.1"
	case "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B":
		return "1.2.840.113549.1.1.11"
	}
	return ""
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
	err := WalkAt(e.Value, e.ValueOffset(), func(part Element, _ int) error {
		switch part.Tag {
		case OctetString:
			out = append(out, part.Value...)
		case OctetString | 0x20:
		default:
			return part.Err(ErrUnwanted)
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
	if t, ok := plainTime(s); ok {
		return t, nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, e.Err(ErrValue)
}

// plainTime reads YYYYMMDDHHMMSSZ, the form that nearly all certificates use; ok is
// false for others and for what is no time.
func plainTime(s string) (t time.Time, ok bool) {
	if len(s) != 15 || s[14] != 'Z' {
		return time.Time{}, false
	}
	var v [7]int // century, year, month, day, hour, minute, second
	for i := range v {
		a, b := s[2*i]-'0', s[2*i+1]-'0'
		if a > 9 || b > 9 {
			return time.Time{}, false
		}
		v[i] = int(a)*10 + int(b)
	}
	if v[4] > 23 || v[5] > 59 || v[6] > 59 {
		return time.Time{}, false
	}
	t = time.Date(v[0]*100+v[1], time.Month(v[2]), v[3], v[4], v[5], v[6], 0, time.UTC)
	return t, int(t.Month()) == v[2] && t.Day() == v[3]
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
