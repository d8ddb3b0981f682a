package eval

import "math"

// Support says how far a set of comparisons carries a statement about an FMR.
type Support string

// The levels: the first three by the number of errors one expects at the claimed
// rate, the last by those observed.
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
	// Contradicted: the whole 95 % interval lies above the claimed rate. However
	// few the comparisons, they show that this set does not meet the claim.
	Contradicted Support = "contradicted"
)

// SupportFor says what r, false matches among impostor comparisons, can say about
// a claimed FMR.
func SupportFor(claimed float64, r Rate) Support {
	trials := r.Trials
	switch {
	case r.ClopperPearson(Confidence).Low > claimed:
		return Contradicted
	case trials >= NeededTrials(claimed, 30):
		return Measured
	case trials >= NeededTrials(claimed, 3):
		return Indicative
	}
	return Refused
}

// NeededTrials is the number of comparisons at which errors are expected at a rate.
func NeededTrials(rate float64, errors int) int {
	return int(math.Ceil(float64(errors)/rate - 1e-6))
}
