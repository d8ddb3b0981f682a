package pii

import (
	"context"
	"encoding"
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// Handler is a slog.Handler that stands between the program and its log and
// lets only harmless kinds of values through. It is the second line of defence:
// the first is that sensitive values are of this package's types.
//
//   - numbers, booleans, times, durations and short strings pass;
//   - strings that look like a machine readable zone, a signed token or an
//     encoded blob become Redacted;
//   - byte slices and values of unknown types become their type's name, since
//     nobody can say what they hold.
type Handler struct{ next slog.Handler }

// NewHandler returns a Handler that passes cleaned records to next, which must
// not be nil.
func NewHandler(next slog.Handler) *Handler {
	if next == nil {
		panic("pii: NewHandler needs a handler")
	}
	return &Handler{next: next}
}

// maxString is the longest string that passes, in bytes.
const maxString = 512

// suspicious matches what no log line may hold: a machine readable zone's
// filler, a JWT, and long unbroken runs of base64 or hexadecimal digits.
var suspicious = regexp.MustCompile(`<<|eyJ[A-Za-z0-9_-]{8,}|[A-Za-z0-9+/_-]{80,}`) // a compiled constant

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, cleanString(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(cleanAttr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = cleanAttr(a)
	}
	return &Handler{next: h.next.WithAttrs(clean)}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{next: h.next.WithGroup(name)}
}

func cleanAttr(a slog.Attr) slog.Attr {
	a.Value = cleanValue(a.Value.Resolve())
	return a
}

func cleanValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(cleanString(v.String()))
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, a := range group {
			clean[i] = cleanAttr(a)
		}
		return slog.GroupValue(clean...)
	case slog.KindAny:
		return cleanAny(v.Any())
	default:
		return v
	}
}

func cleanAny(x any) slog.Value {
	switch x := x.(type) {
	case nil, time.Duration:
		return slog.AnyValue(x)
	case error:
		return slog.StringValue(cleanString(x.Error()))
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return slog.StringValue(Redacted)
		}
		return slog.StringValue(cleanString(string(text)))
	default:
		return slog.StringValue(fmt.Sprintf("%T", x))
	}
}

func cleanString(s string) string {
	if len(s) > maxString || suspicious.MatchString(s) {
		return Redacted
	}
	return s
}
