package jp2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"ipse/mrtd/tlv"
)

// Reasons an image is refused. Every error of this package but those of a caller's
// mistake is a *tlv.Refusal with the place and the clause, and wraps one of these.
var (
	ErrFormat = errors.New("not a JPEG 2000 image")
	ErrLimit  = errors.New("image beyond the limits")
	ErrDecode = errors.New("image cannot be decoded")
)

// Limits of an image before it is handed to the decoder.
const (
	MaxEncoded = 2 << 20 // octets
	MaxSide    = 4096    // pixels
	MaxPixels  = 8 << 20
	maxTiles   = 1024
)

// Size is what the codestream's SIZ marker says (ISO/IEC 15444-1 §A.5.1).
type Size struct{ Width, Height, Components int }

// refuse places a refusal; section is that of ISO/IEC 15444-1, with a space before.
func refuse(section string, at int, err error) error {
	return tlv.Refuse("JPEG 2000", "ISO/IEC 15444-1"+section, &tlv.Error{Offset: at, Reason: err})
}

// ParseSize finds the codestream and reads its SIZ marker, without decoding.
func ParseSize(data []byte) (Size, error) {
	if len(data) > MaxEncoded {
		return Size{}, refuse("", 0, fmt.Errorf("%w: %d octets", ErrLimit, len(data)))
	}
	at, err := codestream(data)
	if err != nil {
		return Size{}, err
	}
	b := data[at+4:]
	size, i, err := parseSIZ(b)
	if err == nil {
		i, err = checkComponents(b, size.Components)
	}
	if err != nil {
		return Size{}, refuse(" A.5.1", at+4+i, err)
	}
	return size, nil
}

// codestream finds the codestream, raw or in a JP2 file.
func codestream(data []byte) (int, error) {
	start := []byte{0xFF, 0x4F, 0xFF, 0x51} // SOC, SIZ
	if bytes.HasPrefix(data, start) {
		return 0, nil
	}
	if !bytes.HasPrefix(data, []byte{0, 0, 0, 0x0C, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}) {
		return 0, refuse(" I.5", 0, ErrFormat)
	}
	at := bytes.Index(data, start)
	if at < 0 {
		return 0, refuse(" I.5", len(data), ErrFormat)
	}
	return at, nil
}

// parseSIZ reads the marker segment but its components; at is where an error lies.
func parseSIZ(b []byte) (size Size, at int, err error) {
	if len(b) < 38 {
		return size, len(b), ErrFormat
	}
	u32 := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(b[i:])) }
	right, bottom, left, top := u32(4), u32(8), u32(12), u32(16)
	tileW, tileH := u32(20), u32(24)
	components := int(binary.BigEndian.Uint16(b[36:]))
	if left >= right || top >= bottom || tileW == 0 || tileH == 0 || len(b) < 38+3*components {
		return size, 4, ErrFormat
	}
	w, h := right-left, bottom-top
	if w > MaxSide || h > MaxSide || w*h > MaxPixels || right > 1<<20 || bottom > 1<<20 {
		return size, 4, fmt.Errorf("%w: size", ErrLimit)
	}
	if ((w+tileW-1)/tileW)*((h+tileH-1)/tileH) > maxTiles {
		return size, 20, fmt.Errorf("%w: tiles", ErrLimit)
	}
	return Size{int(w), int(h), components}, 0, nil
}

// checkComponents accepts grey, colour, and colour with transparency, of 8 bits.
func checkComponents(b []byte, n int) (at int, err error) {
	if n != 1 && n != 3 && n != 4 {
		return 36, fmt.Errorf("%w: %d components", ErrLimit, n)
	}
	for i := range n {
		c := b[38+3*i:]
		if c[0] != 7 || c[1] != 1 || c[2] != 1 { // unsigned, 8 bits, not subsampled
			return 38 + 3*i, fmt.Errorf("%w: depth or subsampling", ErrLimit)
		}
	}
	return 0, nil
}
