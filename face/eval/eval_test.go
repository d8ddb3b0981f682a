package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// Known values: 0 of n and n of n have the closed form 1-(alpha/2)^(1/n); the
// others stand in the usual tables of exact binomial limits, to four places.
func TestClopperPearsonKnownValues(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		errors, trials int
		low, high      float64
	}{
		{0, 10, 0, 1 - math.Pow(.025, .1)}, // .3085
		{10, 10, math.Pow(.025, .1), 1},
		{1, 10, .0025, .4450},
		{5, 10, .1871, .8129},
		{3, 20, .0321, .3789},
		{0, 1, 0, .975},
	} {
		i := Rate{v.errors, v.trials}.ClopperPearson(.95)
		near(t, "low", i.Low, v.low, 6e-5)
		near(t, "high", i.High, v.high, 6e-5)
	}
	if i := (Rate{}).ClopperPearson(.95); i != (Interval{0, 1}) {
		t.Errorf("no trial: %v", i)
	}
}

// The rule of three (ISO/IEC 19795-1): no error in n trials shows a rate below
// about 3/n; exactly, 1-.05^(1/n).
func TestRuleOfThree(t *testing.T) {
	t.Parallel()
	for _, n := range []int{30, 300, 3000, 300_000} {
		bound := Rate{0, n}.UpperBound(.95)
		near(t, "bound", bound, 1-math.Pow(.05, 1/float64(n)), 1e-9)
		if bound > 3/float64(n) || bound < 2.8/float64(n) {
			t.Errorf("n = %d: %v is not about 3/n", n, bound)
		}
	}
	if got := (Rate{7, 7}).UpperBound(.95); got != 1 {
		t.Errorf("all wrong: %v", got)
	}
}

// The limits are defined by binomial tails: seeing x or more has probability
// 2.5 % at the low end, x or fewer at the high end. The tail here is a plain sum.
func TestIntervalsHaveTheirTails(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 60; n += 7 {
		for x := 0; x <= n; x++ {
			i := Rate{x, n}.ClopperPearson(.95)
			if x > 0 {
				near(t, "upper tail", 1-atMost(x-1, n, i.Low), .025, 1e-9)
			}
			if x < n {
				near(t, "lower tail", atMost(x, n, i.High), .025, 1e-9)
				near(t, "one-sided tail", atMost(x, n, Rate{x, n}.UpperBound(.95)), .05, 1e-9)
			}
		}
	}
}

func atMost(x, n int, p float64) float64 {
	sum, term := 0.0, math.Pow(1-p, float64(n))
	for k := 0; k <= x; k++ {
		sum += term
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	return sum
}

func TestSupport(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		claimed float64
		seen    Rate
		want    Support
	}{
		{1e-4, Rate{0, 29_999}, Refused}, {1e-4, Rate{1, 30_000}, Indicative}, {1e-4, Rate{30, 299_999}, Indicative},
		{1e-4, Rate{30, 300_000}, Measured}, {1.0 / 1000, Rate{0, 3000}, Indicative}, {.01, Rate{0, 299}, Refused}, {.01, Rate{}, Refused},
		{.001, Rate{9, 287}, Contradicted}, {.001, Rate{1, 287}, Refused}, {1e-4, Rate{60, 300_000}, Contradicted},
	} {
		if got := SupportFor(v.claimed, v.seen); got != v.want {
			t.Errorf("%+v against %v: %s, want %s", v.seen, v.claimed, got, v.want)
		}
	}
}

func randomTrials(seed uint64, n int) []Trial {
	r := rand.New(rand.NewPCG(seed, 1))
	trials := []Trial{{Genuine: true, Score: .7}, {Score: .1}, {Failed: true, Score: math.NaN()}}
	for range n {
		t := Trial{Genuine: r.IntN(3) == 0, Score: math.Round(r.NormFloat64()*20) / 100, Groups: []string{string(rune(0x61 + r.IntN(2)))}}
		if t.Genuine {
			t.Score += .3
		}
		trials = append(trials, t)
	}
	return trials
}

// Every point of the curve is what counting at its threshold gives, and the
// curve never turns back.
func TestDETAgreesWithCounting(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		s := NewScores(randomTrials(seed, 200))
		curve := s.DET()
		for i, p := range curve {
			near(t, "FMR", p.FMR, s.FMR(p.Threshold).Value(), 1e-12)
			near(t, "FNMR", p.FNMR, s.FNMR(p.Threshold).Value(), 1e-12)
			if i > 0 && (p.FMR > curve[i-1].FMR || p.FNMR < curve[i-1].FNMR) {
				t.Fatalf("seed %d: the curve turns back at %d", seed, i)
			}
		}
		thin := Thin(curve, 10)
		if len(thin) > 12 || thin[0] != curve[0] || thin[len(thin)-1] != curve[len(curve)-1] {
			t.Errorf("seed %d: thinned to %d points or lost an end", seed, len(thin))
		}
	}
	if NewScores([]Trial{{Genuine: true, Score: 1}}).DET() != nil {
		t.Error("a curve without impostors")
	}
}

func TestEqualScoresAreAccepted(t *testing.T) {
	t.Parallel()
	s := NewScores([]Trial{{Genuine: true, Score: .5}, {Score: .5}, {Score: .4}})
	if s.FMR(.5) != (Rate{1, 2}) || s.FNMR(.5) != (Rate{0, 1}) {
		t.Errorf("%v %v", s.FMR(.5), s.FNMR(.5))
	}
}

func testThresholds() []Threshold {
	return []Threshold{{"1:10", .1, .35}, {"1:10000", 1e-4, .9}}
}

func TestReportRefusesWhatPairsCannotShow(t *testing.T) {
	t.Parallel()
	r, err := NewReport(randomTrials(1, 400), testThresholds(), []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	easy, hard := r.Points[0], r.Points[1]
	if easy.FMR.Value == nil || easy.FMR.Interval == nil || hard.FMR.Value != nil || hard.FMR.Interval != nil || hard.Needed != 30_000 {
		t.Errorf("stated: %+v; refused: %+v", easy, hard)
	}
	if hard.FNMR.Value == nil || hard.FMR.Below <= 0 {
		t.Error("a refused FMR must keep its bound and the FNMR")
	}
	if r.Failed != (Rate{1, 403}) || r.Genuine+r.Impostor != 402 {
		t.Errorf("failures: %+v of %d", r.Failed, r.Pairs)
	}
	sum := 0
	for _, g := range r.Groups {
		sum += g.Points[0].FMR.Trials + g.Points[0].FNMR.Trials
	}
	if sum != 400 {
		t.Errorf("groups hold %d comparisons of 400", sum)
	}
	if _, err := NewReport([]Trial{{Failed: true}}, testThresholds(), nil); err == nil {
		t.Error("a report of nothing")
	}
}

func TestReportIsDeterministicAndAlone(t *testing.T) {
	t.Parallel()
	var pages [2]bytes.Buffer
	for i := range pages {
		r, err := NewReport(randomTrials(2, 100), testThresholds(), []string{"<b>a"})
		if err != nil {
			t.Fatal(err)
		}
		r.Failures = []Failure{{3, "b", "no_face"}}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteHTML(&pages[i]); err != nil {
			t.Fatal(err)
		}
	}
	html := pages[0].String()
	if html != pages[1].String() {
		t.Error("the same trials give two pages")
	}
	for _, bad := range []string{"<script", "http:", "https:", "src=", "url(", "NaN", "Inf", "ZgotmplZ", "<b>a"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, good := range []string{"<polyline", "not stated", "30000 are needed", "no face", "prefers-color-scheme"} {
		if !strings.Contains(html, good) {
			t.Errorf("the page lacks %q", good)
		}
	}
}

func TestPageWithoutImpostors(t *testing.T) {
	t.Parallel()
	r, err := NewReport([]Trial{{Genuine: true, Score: .9}}, testThresholds(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil || strings.Contains(b.String(), "<svg") || strings.Contains(b.String(), "NaN") {
		t.Errorf("err %v, page %d bytes", err, b.Len())
	}
}
