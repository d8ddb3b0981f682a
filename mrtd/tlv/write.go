package tlv

// Encode returns the DER-framed element with the tag and, as contents, the
// parts one after the other.
func Encode(tag Tag, parts ...[]byte) []byte {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	out := AppendHeader(make([]byte, 0, length+9), tag, length)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// AppendHeader appends identifier and length octets for contents of that length.
func AppendHeader(dst []byte, tag Tag, length int) []byte {
	started := false
	for shift := 24; shift >= 0; shift -= 8 {
		b := byte(tag >> shift)
		if b != 0 || started || shift == 0 {
			dst = append(dst, b)
			started = true
		}
	}
	return AppendLength(dst, length)
}

// AppendLength appends the fewest length octets for length.
func AppendLength(dst []byte, length int) []byte {
	if length < 0x80 {
		return append(dst, byte(length))
	}
	n := 0
	for l := length; l > 0; l >>= 8 {
		n++
	}
	dst = append(dst, 0x80|byte(n))
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(length>>(8*i)))
	}
	return dst
}
