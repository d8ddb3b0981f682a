package eval

import (
	"fmt"
	"math"
)

// Calibrated is a threshold found for a false match rate, with what the scores
// it was found on say of both rates there.
type Calibrated struct {
	Claimed float64 // false match rate, e.g. 0.001
	Score   float64 // accept at or above; four decimals
	FMR     Rate
	FNMR    Rate
	Support Support // of Claimed by the impostor comparisons; never Refused
}

// Name writes the rate as manifests do, "1:1000".
func (c Calibrated) Name() string { return fmt.Sprintf("1:%.0f", 1/c.Claimed) }

// Calibrate finds the least threshold at which no more impostors than 1 in 100,
// 1,000, 10,000 and so on are accepted, for as many of these rates as the
// impostor comparisons support at all (the rule of three).
func (s *Scores) Calibrate() []Calibrated {
	var list []Calibrated
	n := len(s.impostor)
	for rate := .01; n >= NeededTrials(rate, 3); rate /= 10 {
		allowed := int(rate*float64(n) + 1e-9)
		most := s.impostor[n-1-allowed] // this one must be refused
		c := Calibrated{Claimed: rate, Score: (math.Floor(most*1e4) + 1) / 1e4}
		if c.Score <= most { // rounded down
			c.Score += 1e-4
		}
		c.FMR, c.FNMR = s.FMR(c.Score), s.FNMR(c.Score)
		c.Support = SupportFor(rate, c.FMR)
		list = append(list, c)
	}
	return list
}
