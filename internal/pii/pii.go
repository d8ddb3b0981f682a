// Package pii holds types for sensitive values. A value of such a type cannot
// be printed, logged or marshalled by accident: every formatting path answers
// Redacted. Whoever needs the content calls Reveal, which is easy to search for.
package pii

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Redacted is what every formatting path shows in place of a sensitive value.
const Redacted = "[redacted]"

// Text is a sensitive string: a name, a date of birth, a document number.
// The zero value is the empty text; texts of the same content are equal.
//
// The content lies behind a pointer, and not in the struct: fmt cannot call
// Format on unexported fields, nor while it reports a wrong verb, and prints
// what it finds there; of a pointer below the top it prints the address.
type Text struct{ h unique.Handle[string] }

// NewText wraps s.
func NewText(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{h: unique.Make(s)}
}

// Reveal returns the content. Its callers are the places to review when asking
// where a person's data goes.
func (t Text) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.h.Value()
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t == Text{} }

// Format implements fmt.Formatter for every verb, so that %v, %+v, %#v, %s, %x
// and %q alike print Redacted.
func (t Text) Format(f fmt.State, _ rune) { writeRedacted(f) }

// MarshalText implements encoding.TextMarshaler (and so JSON) as Redacted.
func (t Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue implements slog.LogValuer as Redacted.
func (t Text) LogValue() slog.Value { return slog.StringValue(Redacted) }

// Bytes is a sensitive buffer: a portrait, a frame, key material. Copies share
// the buffer, so that one Wipe clears them all. The buffer is hidden as in Text,
// behind two pointers: fmt follows one to a slice after a wrong verb.
type Bytes struct{ b **[]byte }

// NewBytes wraps b and takes ownership of it: the caller must not keep b.
func NewBytes(b []byte) Bytes {
	p := &b
	return Bytes{b: &p}
}

// Reveal returns the buffer itself, not a copy, so that no copy escapes Wipe.
func (b Bytes) Reveal() []byte {
	if b.b == nil {
		return nil
	}
	return **b.b
}

// Len returns the length in bytes.
func (b Bytes) Len() int { return len(b.Reveal()) }

// Wipe overwrites the buffer with zeros. It is safe to call more than once.
func (b Bytes) Wipe() { Wipe(b.Reveal()) }

// Format implements fmt.Formatter for every verb as Redacted.
func (b Bytes) Format(f fmt.State, _ rune) { writeRedacted(f) }

// MarshalText implements encoding.TextMarshaler (and so JSON) as Redacted.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue implements slog.LogValuer as Redacted.
func (b Bytes) LogValue() slog.Value { return slog.StringValue(Redacted) }

// Wipe overwrites buf with zeros.
func Wipe(buf []byte) { clear(buf) }

func writeRedacted(f fmt.State) {
	// fmt ignores what a Formatter's writes return, and so must this.
	_, _ = io.WriteString(f, Redacted)
}
