// Package deviation names the ways in which travel documents in circulation
// depart from the standards, and says under which policy each is tolerated.
//
// A deviation never weakens a signature: what is tolerated is form. Whatever
// would let an unsigned byte pass as signed is not in the table, it is an error.
package deviation

import (
	"errors"
	"fmt"
)

// Policy says how much departure from the standards a verifier tolerates.
type Policy int

const (
	// ICAO tolerates what documents of several states show and what Doc 9303,
	// its technical reports or PKD practice acknowledge. It is the default.
	ICAO Policy = iota
	// Strict tolerates only what leaves the letter of the standard intact.
	Strict
	// Lenient tolerates every named deviation, for diagnosis.
	Lenient
)

// String returns "strict", "icao" or "lenient".
func (p Policy) String() string {
	switch p {
	case Strict:
		return "strict"
	case Lenient:
		return "lenient"
	case ICAO:
		return "icao"
	}
	return fmt.Sprintf("policy(%d)", int(p))
}

// ErrPolicy reports a policy name that does not exist.
var ErrPolicy = errors.New("policy is not strict, icao or lenient")

// ParsePolicy reads the name of a policy; "" is ICAO.
func ParsePolicy(name string) (Policy, error) {
	switch name {
	case "strict":
		return Strict, nil
	case "icao", "":
		return ICAO, nil
	case "lenient":
		return Lenient, nil
	}
	return ICAO, ErrPolicy
}

func (p Policy) reach() int {
	switch p {
	case Strict:
		return 0
	case Lenient:
		return 2
	case ICAO:
		return 1
	}
	return 0
}

// Tolerates reports whether a deviation allowed from the policy least on is
// tolerated under p.
func (p Policy) Tolerates(least Policy) bool { return p.reach() >= least.reach() }

// Code names a kind of deviation. Codes are stable: verdicts cite them.
type Code string

// Deviation is one departure met in one place.
type Deviation struct {
	Code Code `json:"code"`
	// Where is the file or certificate concerned, for example "SOD",
	// "DG11", "DS certificate". Never personal data.
	Where string `json:"where,omitempty"`
	// Offset is the place in octets from the start of that file, or 0.
	Offset int `json:"offset,omitempty"`
}

// Info describes a kind of deviation.
type Info struct {
	Code   Code   `json:"code"`
	Least  Policy `json:"-"`      // the strictest policy that tolerates it
	Text   string `json:"text"`   // one plain sentence
	Clause string `json:"clause"` // the clause departed from
}

// Lookup returns the table's line for code. An unknown code is tolerated by
// no policy but Lenient.
func Lookup(code Code) (Info, bool) {
	for _, i := range Table() {
		if i.Code == code {
			return i, true
		}
	}
	return Info{Code: code, Least: Lenient, Text: "unknown deviation"}, false
}

// Judge applies one policy. It is immutable and safe for concurrent use.
type Judge struct {
	policy Policy
	least  map[Code]Policy
}

// NewJudge prepares to apply p to many lists of deviations.
func NewJudge(p Policy) Judge {
	table := Table()
	j := Judge{policy: p, least: make(map[Code]Policy, len(table))}
	for _, i := range table {
		j.least[i.Code] = i.Least
	}
	return j
}

// Refused returns those of ds that the policy does not tolerate, in order.
func (j Judge) Refused(ds []Deviation) []Deviation {
	var out []Deviation
	for _, d := range ds {
		least, ok := j.least[d.Code]
		if !ok {
			least = Lenient
		}
		if !j.policy.Tolerates(least) {
			out = append(out, d)
		}
	}
	return out
}

// Refused returns those of ds that p does not tolerate, in order.
func Refused(p Policy, ds []Deviation) []Deviation { return NewJudge(p).Refused(ds) }

// At returns copies of ds said to be in where, keeping a place they already name.
func At(where string, ds []Deviation) []Deviation {
	out := make([]Deviation, len(ds))
	for i, d := range ds {
		if d.Where == "" {
			d.Where = where
		}
		out[i] = d
	}
	return out
}
