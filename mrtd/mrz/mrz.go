// Package mrz reads and writes machine-readable zones: TD1, TD2 and TD3 of
// travel documents and MRV-A and MRV-B of visas (ICAO Doc 9303 parts 3 to 7).
//
// Everything a zone says about a person is of a type that does not print, and
// no error carries any of it.
package mrz

import (
	"errors"
	"fmt"
	"strings"

	"ipse/internal/pii"
)

// Format is the layout of a zone.
type Format int

// The layouts of Doc 9303.
const (
	TD1  Format = iota + 1 // identity cards, 3 lines of 30 (part 5)
	TD2                    // 2 lines of 36 (part 6)
	TD3                    // passports, 2 lines of 44 (part 4)
	MRVA                   // visas, 2 lines of 44 (part 7)
	MRVB                   // visas, 2 lines of 36 (part 7)
)

// String returns the layout's name in Doc 9303.
func (f Format) String() string {
	switch f {
	case TD1:
		return "TD1"
	case TD2:
		return "TD2"
	case TD3:
		return "TD3"
	case MRVA:
		return "MRV-A"
	case MRVB:
		return "MRV-B"
	}
	return fmt.Sprintf("format(%d)", int(f))
}

// size returns lines and characters in a line.
func (f Format) size() (lines, width int) {
	switch f {
	case TD1:
		return 3, 30
	case TD2, MRVB:
		return 2, 36
	case TD3, MRVA:
		return 2, 44
	}
	return 0, 0
}

// Reasons a zone is refused.
var (
	ErrLength    = errors.New("not the length of any machine-readable zone")
	ErrCharacter = errors.New("character outside A-Z, 0-9 and <")
	ErrField     = errors.New("field does not fit")
)

// Error is a refusal of a zone: where, counted in characters without line breaks and
// spaces, and by which clause. It never carries the zone.
type Error struct {
	Offset int
	Clause string
	Reason error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("machine-readable zone (%s): %v at character %d", e.Clause, e.Reason, e.Offset)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Reason }

// Check is the result of one check digit (Doc 9303-3 §4.9).
type Check struct {
	Field string // "document_number", "birth_date", "expiry_date", "optional_data", "composite"
	OK    bool
}

// MRZ is a zone taken apart. Fillers are gone from the fields.
type MRZ struct {
	Format       Format
	DocumentCode string // one or two letters, for example "P" or "ID"
	IssuingState string // as written, for example "UTO" or "D"
	Nationality  string
	Sex          pii.Text // "F", "M" or "X" where unspecified
	Number       pii.Text // the whole document number, overflow included
	FamilyName   pii.Text // primary identifier, words separated by spaces
	GivenNames   pii.Text // secondary identifier
	BirthDate    pii.Text // YYMMDD as written; unknown parts are fillers
	ExpiryDate   pii.Text // YYMMDD as written
	Optional     pii.Text // optional data, of both fields in TD1 separated by a space
	// NameTruncated says that the name fills its field and may be cut (9303-3 §4.6).
	NameTruncated bool
	Checks        []Check

	lines []string
}

// Valid reports whether every check digit is right.
func (m *MRZ) Valid() bool {
	for _, c := range m.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// Text returns the zone as written, lines joined by "\n".
func (m *MRZ) Text() pii.Text { return pii.NewText(strings.Join(m.lines, "\n")) }

// Parse reads a zone with or without line breaks and surrounding space. Wrong
// check digits are not an error: see Checks.
func Parse(text string) (*MRZ, error) {
	s := strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', ' ', '\t':
			return -1
		}
		return r
	}, text)
	for i, r := range []rune(s) {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '<' {
			return nil, &Error{Offset: i, Clause: "9303-3 4.3", Reason: ErrCharacter}
		}
	}
	m := &MRZ{}
	visa := strings.HasPrefix(s, "V")
	switch {
	case len(s) == 90:
		m.Format = TD1
	case len(s) == 72 && visa:
		m.Format = MRVB
	case len(s) == 72:
		m.Format = TD2
	case len(s) == 88 && visa:
		m.Format = MRVA
	case len(s) == 88:
		m.Format = TD3
	default:
		return nil, &Error{Offset: len(s), Clause: "9303-3 4.2", Reason: ErrLength}
	}
	n, width := m.Format.size()
	for i := range n {
		m.lines = append(m.lines, s[i*width:(i+1)*width])
	}
	m.DocumentCode = clean(s[0:2])
	m.IssuingState = clean(s[2:5])
	if m.Format == TD1 {
		m.parseTD1()
	} else {
		m.parseTwoLines()
	}
	return m, nil
}

// parseTD1 follows Doc 9303-5 §4.2.2.
func (m *MRZ) parseTD1() {
	l1, l2, l3 := m.lines[0], m.lines[1], m.lines[2]
	optional := m.number(l1[5:14], l1[14], l1[15:30])
	m.setNames(l3)
	m.BirthDate, m.ExpiryDate = pii.NewText(l2[0:6]), pii.NewText(l2[8:14])
	m.setSex(l2[7])
	m.Nationality = clean(l2[15:18])
	m.Optional = pii.NewText(strings.TrimSpace(clean(optional) + " " + clean(l2[18:29])))
	m.check("birth_date", l2[0:6], l2[6])
	m.check("expiry_date", l2[8:14], l2[14])
	m.check("composite", l1[5:30]+l2[0:7]+l2[8:15]+l2[18:29], l2[29])
}

// parseTwoLines follows Doc 9303-4 §4.2.2, 9303-6 §4.2.2 and 9303-7 §4.2.
func (m *MRZ) parseTwoLines() {
	l1, l2 := m.lines[0], m.lines[1]
	m.setNames(l1[5:])
	m.Nationality = clean(l2[10:13])
	m.BirthDate, m.ExpiryDate = pii.NewText(l2[13:19]), pii.NewText(l2[21:27])
	m.setSex(l2[20])
	switch m.Format { // TD1 is read elsewhere
	case TD3:
		_ = m.number(l2[0:9], l2[9], "")
		m.Optional = pii.NewText(clean(l2[28:42]))
		m.dates(l2)
		// The check digit of an empty field may be 0 or a filler (9303-4 §4.2.2.2).
		if l2[42] != '<' || clean(l2[28:42]) != "" {
			m.check("optional_data", l2[28:42], l2[42])
		}
		m.check("composite", l2[0:10]+l2[13:20]+l2[21:43], l2[43])
	case TD2:
		m.Optional = pii.NewText(clean(m.number(l2[0:9], l2[9], l2[28:35])))
		m.dates(l2)
		m.check("composite", l2[0:10]+l2[13:20]+l2[21:35], l2[35])
	default: // visas have no composite check digit
		_ = m.number(l2[0:9], l2[9], "")
		m.Optional = pii.NewText(clean(l2[28:]))
		m.dates(l2)
	}
}

func (m *MRZ) dates(l2 string) {
	m.check("birth_date", l2[13:19], l2[19])
	m.check("expiry_date", l2[21:27], l2[27])
}

// number reads the document number. One longer than nine characters has a
// filler in place of its check digit and goes on in the optional data, closed by
// the check digit and a filler (9303-5 §4.2.2.1 note j, 9303-6 likewise). It
// returns the optional data that is left.
func (m *MRZ) number(first string, digit byte, optional string) string {
	if digit == '<' && optional != "" && optional[0] != '<' {
		overflow, rest, _ := strings.Cut(optional, "<")
		if len(overflow) >= 2 {
			end := len(overflow) - 1
			whole := first + overflow[:end]
			m.Number = pii.NewText(clean(whole))
			m.check("document_number", whole, overflow[end])
			return rest
		}
	}
	m.Number = pii.NewText(clean(first))
	m.check("document_number", first, digit)
	return optional
}

func (m *MRZ) setNames(field string) {
	primary, secondary, _ := strings.Cut(field, "<<")
	m.FamilyName, m.GivenNames = pii.NewText(clean(primary)), pii.NewText(clean(secondary))
	m.NameTruncated = !strings.HasSuffix(field, "<")
}

func (m *MRZ) setSex(c byte) {
	if c != 'F' && c != 'M' {
		c = 'X'
	}
	m.Sex = pii.NewText(string(c))
}

func (m *MRZ) check(field, data string, digit byte) {
	want, err := CheckDigit(data)
	m.Checks = append(m.Checks, Check{Field: field, OK: err == nil && (digit == want || digit == '<' && want == '0' && field != "composite")})
}

// CheckDigit computes a check digit: weights 7, 3, 1, modulus 10, A=10 to Z=35,
// filler 0 (Doc 9303-3 §4.9).
func CheckDigit(data string) (byte, error) {
	total := 0
	for i := range len(data) {
		v := 0
		switch c := data[i]; {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		case c == '<':
		default:
			return 0, ErrCharacter
		}
		total += v * [...]int{7, 3, 1}[i%3]
	}
	return byte('0' + total%10), nil
}

func clean(field string) string {
	return strings.TrimSpace(strings.Join(strings.FieldsFunc(field, func(r rune) bool { return r == '<' }), " "))
}
