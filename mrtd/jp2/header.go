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
	start := []byte{0xFF, 0x4F, 0xFF, 0x51} // SOC, SIZ
	at := 0
	if !bytes.HasPrefix(data, start) {
		if !bytes.HasPrefix(data, []byte{0, 0, 0, 0x0C, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}) {
			return Size{}, refuse(" I.5", 0, ErrFormat)
		}
		if at = bytes.Index(data, start); at < 0 {
			return Size{}, refuse(" I.5", len(data), ErrFormat)
		}
	}
	b := data[at+4:]
	siz := func(i int, err error) (Size, error) { return Size{}, refuse(" A.5.1", at+4+i, err) }
	if len(b) < 38 {
		return siz(len(b), ErrFormat)
	}
	u32 := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(b[i:])) }
	right, bottom, left, top := u32(4), u32(8), u32(12), u32(16)
	tileW, tileH := u32(20), u32(24)
	components := int(binary.BigEndian.Uint16(b[36:]))
	if left >= right || top >= bottom || tileW == 0 || tileH == 0 || len(b) < 38+3*components {
		return siz(4, ErrFormat)
	}
	w, h := right-left, bottom-top
	if w > MaxSide || h > MaxSide || w*h > MaxPixels || right > 1<<20 || bottom > 1<<20 {
		return siz(4, fmt.Errorf("%w: size", ErrLimit))
	}
	if ((w+tileW-1)/tileW)*((h+tileH-1)/tileH) > maxTiles {
		return siz(20, fmt.Errorf("%w: tiles", ErrLimit))
	}
	if components != 1 && components != 3 && components != 4 {
		return siz(36, fmt.Errorf("%w: %d components", ErrLimit, components))
	}
	for i := range components {
		c := b[38+3*i:]
		if c[0] != 7 || c[1] != 1 || c[2] != 1 { // unsigned, 8 bits, not subsampled
			return siz(38+3*i, fmt.Errorf("%w: depth or subsampling", ErrLimit))
		}
	}
	return Size{int(w), int(h), components}, nil
}
