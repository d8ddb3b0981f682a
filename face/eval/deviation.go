package eval

import "math"

// allowedDeviation of a group's rate from the rate over all, as a share of the
// latter (NIST SP 800-63A-4, requirements for biometric performance).
const allowedDeviation = .25

// Deviation says how a group's error rate stands to the rate over all.
type Deviation string

// The levels. With few comparisons nothing can be shown either way; saying so is
// better than a ratio of two accidents.
const (
	Within     Deviation = "within"      // the whole interval is at most 25 % above the rate over all
	Worse      Deviation = "worse"       // the whole interval is more than 25 % above it
	Undecided  Deviation = "undecided"   // the interval reaches to both sides
	NoFailures Deviation = "no_failures" // no error anywhere: nothing to compare
)

// Deviates compares a group with all. Only being worse is a deviation.
func Deviates(group, all Rate) Deviation {
	if group.Trials == 0 || all.Trials == 0 {
		return Undecided
	}
	if all.Errors == 0 {
		return NoFailures
	}
	limit := all.Value() * (1 + allowedDeviation)
	i := group.ClopperPearson(Confidence)
	switch {
	case i.High <= limit:
		return Within
	case i.Low > limit:
		return Worse
	}
	return Undecided
}

// EER is the equal error rate: where the two rates of a DET curve cross. It
// describes a curve in one number; nothing is decided at it.
type EER struct {
	Rate      float64 `json:"rate"`
	Threshold float64 `json:"threshold"`
}

// EqualError finds the point of the curve at which the two rates are nearest, and
// states their mean there; nil without a curve.
func EqualError(curve []DETPoint) *EER {
	if len(curve) == 0 {
		return nil
	}
	best := curve[0]
	for _, p := range curve {
		if math.Abs(p.FMR-p.FNMR) < math.Abs(best.FMR-best.FNMR) {
			best = p
		}
	}
	return &EER{(best.FMR + best.FNMR) / 2, best.Threshold}
}

// Histogram counts scores in bins of equal width.
type Histogram struct {
	Low      float64 `json:"low"`
	Width    float64 `json:"width"` // of a bin
	Genuine  []int   `json:"genuine"`
	Impostor []int   `json:"impostor"`
}

// Histogram of the scores between -1 and 1 in bins of .05, cut to those that hold any.
func (s *Scores) Histogram() *Histogram {
	const bins = 40
	genuine, impostor := make([]int, bins), make([]int, bins)
	first, last := bins, 0
	fill := func(dst []int, scores []float64) {
		for _, v := range scores {
			i := min(max(int((v+1)*bins/2), 0), bins-1)
			dst[i]++
			first, last = min(first, i), max(last, i)
		}
	}
	fill(genuine, s.genuine)
	fill(impostor, s.impostor)
	if first > last {
		return nil
	}
	return &Histogram{Low: float64(first)*2/bins - 1, Width: 2. / bins, Genuine: genuine[first : last+1], Impostor: impostor[first : last+1]}
}
