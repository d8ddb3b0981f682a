package eval

import (
	"fmt"
	"math"
)

// Support says how far a set of comparisons carries a statement about an FMR.
type Support string

// The three levels, by the number of errors one expects at the target rate.
const (
	// Measured: at least 30 expected errors, so the true rate is within 30 % of
	// the observed one with 90 % confidence (the rule of 30, ISO/IEC 19795-1).
	Measured Support = "measured"
	// Indicative: between 3 and 30 expected errors. The interval is wide: cite
	// its upper end, never the estimate alone.
	Indicative Support = "indicative"
	// Refused: fewer than 3 expected errors. Even a set without one false match
	// would not show that the rate is met (the rule of three).
	Refused Support = "refused"
)

// SupportFor says what trials impostor comparisons can say about an FMR.
func SupportFor(target float64, trials int) Support {
	switch expected := target * float64(trials); {
	case expected >= 30:
		return Measured
	case expected >= 3:
		return Indicative
	}
	return Refused
}

// UnsupportedError refuses a statement that the data cannot carry.
type UnsupportedError struct {
	Target float64 // the FMR asked for
	Trials int     // impostor comparisons at hand
}

// Error says how many comparisons would be needed at least.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("eval: %d impostor comparisons cannot support a statement about FMR %s: at least %d are needed (rule of three), %d to measure it (rule of 30)",
		e.Trials, FormatFMR(e.Target), NeededTrials(e.Target, 3), NeededTrials(e.Target, 30))
}

// NeededTrials is the number of comparisons at which errors are expected at rate target.
func NeededTrials(target float64, errors int) int {
	return int(math.Ceil(float64(errors)/target - 1e-9))
}

// ThresholdFor gives the lowest threshold whose observed FMR is at most target,
// or an *UnsupportedError where the set is too small for the target.
func (s *Scores) ThresholdFor(target float64) (float64, error) {
	if !(target > 0 && target < 1) {
		return 0, fmt.Errorf("eval: a target FMR lies between 0 and 1")
	}
	if SupportFor(target, len(s.impostor)) == Refused {
		return 0, &UnsupportedError{target, len(s.impostor)}
	}
	return s.thresholdAt(target), nil
}

// thresholdAt is ThresholdFor without the question whether the set is large
// enough: just above the highest impostor score that must be refused.
func (s *Scores) thresholdAt(target float64) float64 {
	n := len(s.impostor)
	allowed := int(math.Floor(target*float64(n) + 1e-9))
	// The impostor at n-1-allowed must be refused, and its equals with it.
	return math.Nextafter(s.impostor[n-1-min(allowed, n-1)], math.Inf(1))
}

// FormatFMR writes a rate as one in so many: "1:10000".
func FormatFMR(rate float64) string {
	if rate <= 0 {
		return "0"
	}
	return fmt.Sprintf("1:%.0f", 1/rate)
}
