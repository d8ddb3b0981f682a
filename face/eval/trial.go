package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Scorer compares two encoded images and gives the similarity that the product
// thresholds. Only evaluation may ask for it: the product answers yes or no.
// ErrNoFace (or an error that wraps it) says that an image could not be used;
// it counts as a failure to acquire. Any other error stops an evaluation.
type Scorer interface {
	Score(ctx context.Context, a, b []byte) (float64, error)
}

// ErrNoFace means that no usable face was found in one of two images.
var ErrNoFace = errors.New("no usable face")

// Trial is one comparison with its truth.
type Trial struct {
	SubjectA, SubjectB string  // whom the images show; equal when Genuine
	Genuine            bool    // the same person
	Group              string  // demographic or other group, optional
	Score              float64 // higher means more alike
	Failed             bool    // failure to acquire: Score is meaningless
}

// Scores holds labelled trials, sorted, ready to be asked for error rates. It is
// not modified after NewScores and safe for concurrent use.
type Scores struct {
	trials            []Trial // acquired ones, by falling score
	genuine, impostor []float64
	failed            Rate // genuine and impostor together
	failedGenuine     Rate
}

// NewScores sorts trials. It refuses a set without genuine or without impostor
// trials, scores that are not numbers, and labels that contradict the subjects.
func NewScores(trials []Trial) (*Scores, error) {
	s := &Scores{}
	for i, t := range trials {
		if t.Genuine != (t.SubjectA == t.SubjectB) {
			return nil, fmt.Errorf("eval: trial %d: its label contradicts its subjects", i+1)
		}
		s.failed.Trials++
		if t.Genuine {
			s.failedGenuine.Trials++
		}
		if t.Failed {
			s.failed.Errors++
			if t.Genuine {
				s.failedGenuine.Errors++
			}
			continue
		}
		if math.IsNaN(t.Score) || math.IsInf(t.Score, 0) {
			return nil, fmt.Errorf("eval: trial %d: its score is not a number", i+1)
		}
		s.trials = append(s.trials, t)
		if t.Genuine {
			s.genuine = append(s.genuine, t.Score)
		} else {
			s.impostor = append(s.impostor, t.Score)
		}
	}
	if len(s.genuine) == 0 || len(s.impostor) == 0 {
		return nil, fmt.Errorf("eval: %d genuine and %d impostor comparisons: both kinds are needed", len(s.genuine), len(s.impostor))
	}
	slices.Sort(s.genuine)
	slices.Sort(s.impostor)
	slices.SortStableFunc(s.trials, func(a, b Trial) int { return compareFloat(b.Score, a.Score) })
	return s, nil
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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

// FailureToAcquire counts the trials whose images gave no usable face.
func (s *Scores) FailureToAcquire() Rate { return s.failed }

// FRR counts genuine trials that end without acceptance at threshold, failures
// to acquire included (false reject rate, ISO/IEC 19795-1).
func (s *Scores) FRR(threshold float64) Rate {
	r := s.FNMR(threshold)
	return Rate{r.Errors + s.failedGenuine.Errors, s.failedGenuine.Trials}
}

// Extremes are the lowest genuine and the highest impostor score.
func (s *Scores) Extremes() (lowestGenuine, highestImpostor float64) {
	return s.genuine[0], s.impostor[len(s.impostor)-1]
}

// Subjects lists the people of the set, sorted.
func (s *Scores) Subjects() []string {
	seen := map[string]bool{}
	for _, t := range s.trials {
		seen[t.SubjectA], seen[t.SubjectB] = true, true
	}
	list := make([]string, 0, len(seen))
	for name := range seen {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Groups lists the groups named by the trials, sorted.
func (s *Scores) Groups() []string {
	var list []string
	for _, t := range s.trials {
		if t.Group != "" {
			list = append(list, t.Group)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
