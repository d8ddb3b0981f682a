package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Bootstrap says how to draw resamples.
type Bootstrap struct {
	Replicates int    // number of resamples, 100 to 10,000; 1,000 when 0
	Seed       uint64 // the same seed gives the same intervals
}

// Spread holds the intervals that resampling the people gives. Each is nil when
// fewer than three people took part.
type Spread struct {
	FMR  *Interval `json:"fmr,omitempty"`
	FNMR *Interval `json:"fnmr,omitempty"`
	// FNMRAtTarget re-fixes the threshold in each resample, so it includes the
	// uncertainty of the threshold itself.
	FNMRAtTarget *Interval `json:"fnmr_at_target,omitempty"`
	People       int       `json:"people"`
}

// Spread resamples people, not comparisons. Comparisons that share a person rise
// and fall together: with ten people and 78,000 comparisons there are still only
// ten people, and an interval that counts comparisons as independent is far too
// narrow. In a resample each person is drawn w times, a genuine comparison of
// theirs counts w times and an impostor comparison counts the product of both
// people's w (the pigeonhole bootstrap, Owen 2007; for biometrics Bolle, Ratha
// and Pankanti 2004). Intervals are percentiles.
//
// A rate observed as zero resamples to zero: read the exact bound beside it.
func (s *Scores) Spread(threshold, target float64, b Bootstrap) Spread {
	people := s.Subjects()
	out := Spread{People: len(people)}
	if len(people) < 3 {
		return out
	}
	if b.Replicates == 0 {
		b.Replicates = 1000
	}
	x := s.indexPeople(people)
	rng := rand.New(rand.NewPCG(b.Seed, 0x697073652d626f6f))
	var fmr, fnmr, atTarget []float64
	weights := make([]float64, len(people))
	for range b.Replicates {
		clear(weights)
		for range people {
			weights[rng.IntN(len(people))]++
		}
		r := x.resample(weights, threshold, target)
		fmr, fnmr, atTarget = appendNumber(fmr, r.fmr), appendNumber(fnmr, r.fnmr), appendNumber(atTarget, r.fnmrAtTarget)
	}
	out.FMR, out.FNMR, out.FNMRAtTarget = percentiles(fmr), percentiles(fnmr), percentiles(atTarget)
	return out
}

func appendNumber(list []float64, v float64) []float64 {
	if math.IsNaN(v) {
		return list
	}
	return append(list, v)
}

func percentiles(values []float64) *Interval {
	if len(values) < 50 {
		return nil
	}
	slices.Sort(values)
	alpha := (1 - Confidence) / 2
	at := func(p float64) float64 { return values[int(math.Round(p*float64(len(values)-1)))] }
	return &Interval{at(alpha), at(1 - alpha)}
}

// indexed is a set of trials by falling score with people as numbers.
type indexed struct {
	a, b    []int32
	genuine []bool
	score   []float64
}

func (s *Scores) indexPeople(people []string) indexed {
	number := make(map[string]int32, len(people))
	for i, name := range people {
		number[name] = int32(i)
	}
	x := indexed{}
	for _, t := range s.trials {
		x.a, x.b = append(x.a, number[t.SubjectA]), append(x.b, number[t.SubjectB])
		x.genuine, x.score = append(x.genuine, t.Genuine), append(x.score, t.Score)
	}
	return x
}

type resampled struct{ fmr, fnmr, fnmrAtTarget float64 }

// resample computes the weighted rates at a fixed threshold and the weighted
// FNMR at the threshold that the resample itself would give for target.
func (x indexed) resample(weights []float64, threshold, target float64) resampled {
	var genuine, impostor, genuineOK, impostorOK float64
	for i := range x.score {
		w := weights[x.a[i]]
		if x.genuine[i] {
			genuine += w
			if x.score[i] >= threshold {
				genuineOK += w
			}
			continue
		}
		w *= weights[x.b[i]]
		impostor += w
		if x.score[i] >= threshold {
			impostorOK += w
		}
	}
	r := resampled{impostorOK / impostor, 1 - genuineOK/genuine, math.NaN()}
	if genuine == 0 || impostor == 0 {
		return resampled{math.NaN(), math.NaN(), math.NaN()}
	}
	var g, m float64
	for i := 0; i < len(x.score); {
		j, dg, dm := i, 0.0, 0.0
		for ; j < len(x.score) && x.score[j] == x.score[i]; j++ { // ties cross the threshold together
			if x.genuine[j] {
				dg += weights[x.a[j]]
			} else {
				dm += weights[x.a[j]] * weights[x.b[j]]
			}
		}
		if m+dm > target*impostor+1e-9 {
			break
		}
		g, m, i = g+dg, m+dm, j
	}
	r.fnmrAtTarget = 1 - g/genuine
	return r
}
