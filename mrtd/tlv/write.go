package tlv

import "slices"

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

// ToDER rewrites every length of the elements in b in its definite, shortest
// form. It changes neither tags nor primitive values nor order, so constructed
// strings stay constructed and sets unsorted.
func ToDER(b []byte) ([]byte, error) {
	if !IsBER(b) {
		return b, Walk(b, func(Element, int) error { return nil })
	}
	type node struct {
		e     Element
		depth int
	}
	var nodes []node
	if err := Walk(b, func(e Element, depth int) error {
		nodes = append(nodes, node{e, depth})
		return nil
	}); err != nil {
		return nil, err
	}
	// Backwards through the pre-order every child precedes its parent; parts[d]
	// gathers the finished elements of depth d, last first.
	var parts [MaxDepth + 2][][]byte
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if !n.e.Tag.Constructed() {
			parts[n.depth] = append(parts[n.depth], Encode(n.e.Tag, n.e.Value))
			continue
		}
		kids := reversed(parts[n.depth+1])
		parts[n.depth+1] = nil
		parts[n.depth] = append(parts[n.depth], Encode(n.e.Tag, kids...))
	}
	var out []byte
	for _, p := range reversed(parts[0]) {
		out = append(out, p...)
	}
	return out, nil
}

func reversed(parts [][]byte) [][]byte {
	slices.Reverse(parts)
	return parts
}
