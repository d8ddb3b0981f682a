package eval

import "slices"

// Trial is one comparison with its truth.
type Trial struct {
	Genuine bool     // the same person
	Groups  []string // demographic or other groups, optional
	Score   float64  // a finite number, higher means more alike
	Failed  bool     // failure to enrol an image: Score is meaningless
	People  [2]int   // numbers of whom the sides show, for intervals by person
}

// Scores holds labelled scores, sorted, ready to be asked for error rates. It is
// not modified after NewScores, which keeps the trials, and safe for concurrent use.
type Scores struct {
	genuine, impostor []float64
	failed            Rate
	trials            []Trial // as given
}

// NewScores sorts the scores of the trials that did not fail.
func NewScores(trials []Trial) *Scores {
	s := &Scores{failed: Rate{Trials: len(trials)}, trials: trials}
	for _, t := range trials {
		switch {
		case t.Failed:
			s.failed.Errors++
		case t.Genuine:
			s.genuine = append(s.genuine, t.Score)
		default:
			s.impostor = append(s.impostor, t.Score)
		}
	}
	slices.Sort(s.genuine)
	slices.Sort(s.impostor)
	return s
}

// FMR counts impostor comparisons accepted at threshold (score >= threshold),
// the false match rate of ISO/IEC 19795-1.
func (s *Scores) FMR(threshold float64) Rate {
	below, _ := slices.BinarySearch(s.impostor, threshold)
	return Rate{len(s.impostor) - below, len(s.impostor)}
}

// FNMR counts genuine comparisons refused at threshold (score < threshold), the
// false non-match rate of ISO/IEC 19795-1.
func (s *Scores) FNMR(threshold float64) Rate {
	below, _ := slices.BinarySearch(s.genuine, threshold)
	return Rate{below, len(s.genuine)}
}
