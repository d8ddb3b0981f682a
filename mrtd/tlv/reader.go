package tlv

// Reader steps through sibling elements. Its zero value is at the end. A Reader
// is for one goroutine.
type Reader struct {
	rest   []byte
	offset int
	count  int
}

// NewReader returns a reader over the elements of b.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// NewReaderAt is NewReader for octets that begin at offset of the outermost input.
func NewReaderAt(b []byte, offset int) *Reader { return &Reader{rest: b, offset: offset} }

// Empty reports whether nothing is left.
func (r *Reader) Empty() bool { return len(r.rest) == 0 }

// Rest returns what is left, unread.
func (r *Reader) Rest() []byte { return r.rest }

// Offset returns the place of the next element in the outermost input.
func (r *Reader) Offset() int { return r.offset }

// Next returns the next element. At the end it fails with ErrMissing.
func (r *Reader) Next() (Element, error) {
	if r.Empty() {
		return Element{}, &Error{Offset: r.offset, Reason: ErrMissing}
	}
	if r.count++; r.count > MaxElements {
		return Element{}, &Error{Offset: r.offset, Reason: ErrCount}
	}
	e, err := readAt(r.rest, r.offset)
	if err != nil {
		return Element{}, err
	}
	r.rest = r.rest[len(e.Raw):]
	r.offset += len(e.Raw)
	return e, nil
}

// PeekTag returns the tag of the next element, or zero at the end or where no
// identifier can be read.
func (r *Reader) PeekTag() Tag {
	tag, _, err := identifier(r.rest, r.offset)
	if err != nil {
		return 0
	}
	return tag
}

// Expect returns the next element, which must have the tag.
func (r *Reader) Expect(tag Tag) (Element, error) {
	if r.Empty() {
		return Element{}, &Error{Offset: r.offset, Reason: ErrMissing, Tag: tag}
	}
	before := *r
	e, err := r.Next()
	if err == nil && e.Tag == tag {
		return e, nil
	}
	if got := before.PeekTag(); got != tag && got != 0 {
		*r = before
		return Element{}, &Error{Offset: r.offset, Reason: ErrUnwanted, Tag: got}
	}
	if err == nil {
		err = e.Err(ErrUnwanted)
	}
	return Element{}, err
}

// Optional returns the next element if it has the tag; ok says whether it was there.
func (r *Reader) Optional(tag Tag) (e Element, ok bool, err error) {
	if r.PeekTag() != tag || r.Empty() {
		return Element{}, false, nil
	}
	e, err = r.Next()
	return e, err == nil, err
}

// Done fails with ErrTrailing unless everything was read.
func (r *Reader) Done() error {
	if r.Empty() {
		return nil
	}
	return &Error{Offset: r.offset, Reason: ErrTrailing}
}

func (r *Reader) all() ([]Element, error) {
	out := make([]Element, 0, 4)
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Find returns the first element of b with the tag among its top-level
// elements; ok is false when there is none or the bytes before it do not parse.
func Find(b []byte, tag Tag) (e Element, ok bool) {
	r := NewReader(b)
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return Element{}, false
		}
		if e.Tag == tag {
			return e, true
		}
	}
	return Element{}, false
}

// Walk visits every element of b in order of appearance, parents first, with
// its depth (0 at the top). It is iterative; MaxDepth and MaxElements bound it.
// It stops at the first error, its own or that of visit.
func Walk(b []byte, visit func(e Element, depth int) error) error { return WalkAt(b, 0, visit) }

// WalkAt is Walk for octets that begin at offset of the outermost input.
func WalkAt(b []byte, offset int, visit func(e Element, depth int) error) error {
	stack := []*Reader{NewReaderAt(b, offset)}
	seen := 0
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		if top.Empty() {
			stack = stack[:len(stack)-1]
			continue
		}
		e, err := top.Next()
		if err != nil {
			return err
		}
		if seen++; seen > MaxElements {
			return e.Err(ErrCount)
		}
		if err := visit(e, len(stack)-1); err != nil {
			return err
		}
		if e.Tag.Constructed() {
			if len(stack) >= MaxDepth {
				return e.Err(ErrDepth)
			}
			stack = append(stack, e.Reader())
		}
	}
	return nil
}

// IsBER reports whether b uses an encoding that DER forbids in its framing:
// an indefinite or a needlessly long length, at any depth. Unparsable input is
// not BER either, and reported by whoever parses it.
func IsBER(b []byte) bool {
	ber := false
	err := Walk(b, func(e Element, _ int) error {
		ber = ber || e.Indefinite || e.NonMinimal
		return nil
	})
	return ber && err == nil
}
