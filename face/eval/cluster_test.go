package eval

import (
	"math/rand/v2"
	"testing"
)

// clustered draws people of whom each has a rate of errors of their own, mean .2, and
// ten genuine comparisons.
func clustered(r *rand.Rand, people int, alike bool) []Trial {
	var trials []Trial
	for p := range people {
		rate := .2
		if alike { // a fifth of the people fail always, the others never
			rate = float64(min(1, max(0, 1-r.IntN(5))))
		}
		for range 10 {
			t := Trial{Genuine: true, Score: 1, People: [2]int{p, p}}
			if r.Float64() < rate {
				t.Score = 0
			}
			trials = append(trials, t)
		}
	}
	return trials
}

// Where the errors are of a few people, the exact interval of pairs misses the true rate
// more often than promised; the one by person covers it nearly as often as it says.
// Where people are alike, the two agree.
func TestIntervalsByPersonCoverClusters(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const runs = 150
	byPair, byPerson := 0, 0
	for range runs {
		s := NewScores(clustered(r, 40, true)).state(.5, true, true)
		if s.Interval.Low <= .2 && .2 <= s.Interval.High {
			byPair++
		}
		if s.ByPerson != nil && s.ByPerson.Low <= .2 && .2 <= s.ByPerson.High {
			byPerson++
		}
	}
	if byPair > runs*8/10 || byPerson < runs*85/100 {
		t.Errorf("of %d intervals %d by pair and %d by person cover the rate", runs, byPair, byPerson)
	}
	s := NewScores(clustered(r, 200, false)).state(.5, true, true)
	near(t, "low", s.ByPerson.Low, s.Interval.Low, .01)
	near(t, "high", s.ByPerson.High, s.Interval.High, .01)
}

// Impostor pairs share people too: one person whom everybody is taken for widens the
// interval of the FMR.
func TestIntervalsByPersonOfImpostors(t *testing.T) {
	t.Parallel()
	var trials []Trial
	for a := range 20 {
		for b := range a {
			trials = append(trials, Trial{People: [2]int{a, b}})
			if b == 3 || a == 3 {
				trials[len(trials)-1].Score = 1
			}
		}
	}
	s := NewScores(trials)
	st := s.state(.5, false, true)
	if st.ByPerson == nil || st.ByPerson.Low != 0 || st.ByPerson.High < 1.3*st.Interval.High {
		t.Fatalf("by pair %v, by person %v", st.Interval, st.ByPerson)
	}
	if again := s.state(.5, false, true); *again.ByPerson != *st.ByPerson {
		t.Error("the same trials give two intervals")
	}
	if i := s.byPerson(2, false); i != nil {
		t.Errorf("without an error: %v", i)
	}
	if i := NewScores(clustered(rand.New(rand.NewPCG(1, 1)), leastPeople-1, false)).byPerson(.5, true); i != nil {
		t.Errorf("nine people: %v", i)
	}
}
