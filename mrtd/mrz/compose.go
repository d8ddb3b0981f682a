package mrz

import (
	"fmt"
	"strings"
)

// Fields is what Compose writes: text of the zone's alphabet, spaces and
// hyphens allowed in names and becoming fillers.
type Fields struct {
	Format       Format
	DocumentCode string // for example "P" or "ID"
	IssuingState string
	Nationality  string
	Number       string
	FamilyName   string
	GivenNames   string
	BirthDate    string // YYMMDD
	Sex          string // "F", "M" or ""
	ExpiryDate   string // YYMMDD
	Optional     string
}

// Compose writes a zone with its check digits, lines joined by "\n".
func Compose(f Fields) (string, error) {
	w := &writer{}
	names := w.name(f)
	switch f.Format {
	case TD1:
		w.td1(f, names)
	case TD2, TD3, MRVA, MRVB:
		w.twoLines(f, names)
	default:
		return "", fmt.Errorf("%w: format", ErrField)
	}
	if w.err != nil {
		return "", w.err
	}
	text := strings.Join(w.lines, "\n")
	if _, err := Parse(text); err != nil {
		return "", err
	}
	return text, nil
}

type writer struct {
	lines []string
	err   error
}

func (w *writer) name(f Fields) string {
	fill := func(s string) string {
		return strings.NewReplacer(" ", "<", "-", "<", "'", "", ",", "").Replace(strings.ToUpper(s))
	}
	return fill(f.FamilyName) + "<<" + fill(f.GivenNames)
}

// pad fills s to width. Only names may be cut (Doc 9303-3 §4.6).
func (w *writer) pad(label, s string, width int, cut bool) string {
	if len(s) > width {
		if !cut && w.err == nil {
			w.err = fmt.Errorf("%w: %s", ErrField, label)
		}
		s = s[:width]
	}
	return s + strings.Repeat("<", width-len(s))
}

func (w *writer) digit(data string) string {
	d, err := CheckDigit(data)
	if err != nil && w.err == nil {
		w.err = err
	}
	return string(d)
}

func (w *writer) withDigit(label, s string, width int) string {
	p := w.pad(label, s, width, false)
	return p + w.digit(p)
}

func (w *writer) sex(s string) string {
	if s == "F" || s == "M" {
		return s
	}
	return "<"
}

// numberField returns the nine characters with check digit, and the optional
// data after an overflowing number.
func (w *writer) numberField(f Fields, optionalWidth int) (number, optional string) {
	if len(f.Number) <= 9 || optionalWidth == 0 {
		return w.withDigit("document number", f.Number, 9), f.Optional
	}
	optional = f.Number[9:] + w.digit(f.Number) + "<" + f.Optional
	return f.Number[:9] + "<", optional
}

func (w *writer) td1(f Fields, names string) {
	number, optional := w.numberField(f, 15)
	l1 := w.pad("document code", f.DocumentCode, 2, false) + w.pad("issuing state", f.IssuingState, 3, false) +
		number + w.pad("optional data", optional, 15, false)
	head := w.withDigit("birth date", f.BirthDate, 6)
	tail := w.withDigit("expiry date", f.ExpiryDate, 6)
	second := strings.Repeat("<", 11)
	l2 := head + w.sex(f.Sex) + tail + w.pad("nationality", f.Nationality, 3, false) + second
	l2 += w.digit(l1[5:] + head + tail + second)
	w.lines = []string{l1, l2, w.pad("name", names, 30, true)}
}

func (w *writer) twoLines(f Fields, names string) {
	_, width := f.Format.size()
	l1 := w.pad("document code", f.DocumentCode, 2, false) + w.pad("issuing state", f.IssuingState, 3, false) +
		w.pad("name", names, width-5, true)
	overflow := 0
	if f.Format == TD2 {
		overflow = 7
	}
	number, optional := w.numberField(f, overflow)
	birth, expiry := w.withDigit("birth date", f.BirthDate, 6), w.withDigit("expiry date", f.ExpiryDate, 6)
	l2 := number + w.pad("nationality", f.Nationality, 3, false) + birth + w.sex(f.Sex) + expiry
	switch f.Format { // TD1 is written elsewhere
	case TD3:
		l2 += w.withDigit("optional data", optional, 14)
		l2 += w.digit(l2[0:10] + l2[13:20] + l2[21:43])
	case TD2:
		l2 += w.pad("optional data", optional, 7, false)
		l2 += w.digit(l2[0:10] + l2[13:20] + l2[21:35])
	default:
		l2 += w.pad("optional data", optional, width-28, false)
	}
	w.lines = []string{l1, l2}
}
