package eval

import (
	"errors"
	"slices"
)

// Threshold is an operating point of a system under evaluation.
type Threshold struct {
	FMR     string  // as the system states it, e.g. "1:10000"
	Claimed float64 // the same as a fraction
	Score   float64 // accepted from here
}

// Statement is a rate with its uncertainty.
type Statement struct {
	Rate
	// Value is Errors/Trials; absent where it may not be stated.
	Value *float64 `json:"rate,omitempty"`
	// Interval is the exact 95 % interval, two-sided; absent as Value is.
	Interval *Interval `json:"interval,omitempty"`
	// ByPerson is the interval that takes people, not pairs, as independent; absent
	// where there are too few people, or no error, to draw from.
	ByPerson *Interval `json:"interval_by_person,omitempty"`
	// Below is the one-sided 95 % bound; also where Value may not be stated.
	Below float64 `json:"below"`
}

// Point is what was measured at one threshold.
type Point struct {
	Claimed   string    `json:"claimed_fmr"` // the pack's figure for this threshold
	Threshold float64   `json:"threshold"`
	Support   Support   `json:"support"` // of the claimed FMR by these comparisons
	Needed    int       `json:"needed"`  // impostor comparisons from which an FMR is stated
	FMR       Statement `json:"fmr"`
	FNMR      Statement `json:"fnmr"`
}

// Group is what was measured on one group.
type Group struct {
	Name   string  `json:"group"`
	Failed Rate    `json:"failed_pairs"`
	Points []Point `json:"points"`
	// Deviations of the FNMR and of the FMR from the rates over all, a pair for each
	// of Points (NIST SP 800-63A-4: within 25 %, or published).
	Deviations []GroupDeviation `json:"deviations"`
}

// GroupDeviation is how a group stands at one threshold.
type GroupDeviation struct {
	FMR  Deviation `json:"fmr"`
	FNMR Deviation `json:"fnmr"`
}

// Failure is an image that could not be enrolled, named by its line alone.
type Failure struct {
	Line   int    `json:"line"`   // where the list first names it
	Column string `json:"column"` // "a" or "b"
	Reason string `json:"reason"` // a code
}

// Report is an evaluation. It names no file and no person.
type Report struct {
	Pack       string     `json:"pack"`      // name of the model pack
	Hash       string     `json:"pack_hash"` // SHA-256 of the pack
	Date       string     `json:"date"`      // yyyy-mm-dd
	Pairs      int        `json:"pairs"`
	Genuine    int        `json:"genuine"`  // compared
	Impostor   int        `json:"impostor"` // compared
	Images     int        `json:"images"`
	People     int        `json:"people"`
	Confidence float64    `json:"confidence"`
	Failed     Rate       `json:"failed_pairs"`
	FTE        Rate       `json:"fte"` // failures to enrol or to acquire: images in which no single usable face was found
	Failures   []Failure  `json:"failures_to_enrol"`
	Points     []Point    `json:"points"`
	Groups     []Group    `json:"groups,omitempty"`
	DET        []DETPoint `json:"det"`
	EER        *EER       `json:"eer,omitempty"`
	Scores     *Histogram `json:"scores,omitempty"`
}

// detPoints is about how many points of the curve a report keeps.
const detPoints = 200

// NewReport measures trials at the thresholds, over all and, where groups is
// not empty, for each. It refuses a set in which nothing could be compared.
func NewReport(trials []Trial, thresholds []Threshold, groups []string) (*Report, error) {
	all := NewScores(trials)
	if len(all.genuine)+len(all.impostor) == 0 {
		return nil, errors.New("eval: no pair could be compared")
	}
	r := &Report{Pairs: len(trials), Genuine: len(all.genuine), Impostor: len(all.impostor), Confidence: Confidence,
		Failed: all.failed, Failures: []Failure{}, Points: all.points(thresholds), EER: EqualError(all.DET()), Scores: all.Histogram(),
		DET: append([]DETPoint{}, Thin(all.DET(), detPoints)...)}
	for _, name := range groups {
		s := NewScores(slices.Collect(func(yield func(Trial) bool) {
			for _, t := range trials {
				if slices.Contains(t.Groups, name) && !yield(t) {
					return
				}
			}
		}))
		g := Group{Name: name, Failed: s.failed, Points: s.points(thresholds)}
		for i, p := range g.Points {
			g.Deviations = append(g.Deviations, GroupDeviation{Deviates(p.FMR.Rate, r.Points[i].FMR.Rate), Deviates(p.FNMR.Rate, r.Points[i].FNMR.Rate)})
		}
		r.Groups = append(r.Groups, g)
	}
	return r, nil
}

func (s *Scores) points(thresholds []Threshold) []Point {
	list := make([]Point, 0, len(thresholds))
	for _, t := range thresholds {
		support := SupportFor(t.Claimed, s.FMR(t.Score))
		list = append(list, Point{Claimed: t.FMR, Threshold: t.Score, Support: support, Needed: NeededTrials(t.Claimed, 3),
			FMR: s.state(t.Score, false, support != Refused), FNMR: s.state(t.Score, true, true)})
	}
	return list
}

// state the FNMR (genuine) or the FMR at a threshold.
func (s *Scores) state(threshold float64, genuine, supported bool) Statement {
	r := s.FMR(threshold)
	if genuine {
		r = s.FNMR(threshold)
	}
	st := state(r, supported)
	if st.Value != nil {
		st.ByPerson = s.byPerson(threshold, genuine)
	}
	return st
}

func state(r Rate, supported bool) Statement {
	s := Statement{Rate: r, Below: r.UpperBound(Confidence)}
	if supported && r.Trials > 0 {
		v, i := r.Value(), r.ClopperPearson(Confidence)
		s.Value, s.Interval = &v, &i
	}
	return s
}
