package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// outcome makes a presentation: its species, and what the liveness signals, the
// comparison and the capture said.
func outcome(species, person string, live, matched, responded bool, failed ...string) Presentation {
	p := Presentation{Species: species, Person: person, Live: live, Matched: matched, Responded: responded, Accepted: live && matched, Detail: "kind of " + species}
	if !p.Accepted {
		p.Reason = "not_live"
	}
	for _, name := range []string{"order", "depth", "portrait"} {
		s := SignalOutcome{name, SignalPassed}
		for _, f := range failed {
			if f == name {
				s.State = SignalFailed
			}
			if f == "no "+name {
				s.State = SignalNotMeasured
			}
		}
		p.Signals = append(p.Signals, s)
	}
	return p
}

func testPAD(t *testing.T) *PAD {
	t.Helper()
	var list []Presentation
	for i := range 20 { // genuine: one taken for an attack, one without a response, one not matched
		p := outcome("", []string{"a", "b"}[i%2], true, true, true)
		switch i {
		case 0:
			p = outcome("", "a", false, true, true, "depth")
		case 1:
			p = outcome("", "b", false, false, false, "no depth", "order")
		case 2:
			p = outcome("", "a", true, false, true, "portrait")
		}
		p.Groups = []string{"group " + p.Person}
		list = append(list, p)
	}
	for i := range 10 { // paper: two pass the signals, one of them matches; two without a response
		list = append(list, outcome("paper", "a", i < 2, i == 0, i < 8, "order", "depth"))
	}
	list = append(list, outcome("paper", "b", false, true, true, "depth"))
	bare := outcome("blurred", "a", true, false, true, "portrait") // a live impostor: no instrument
	bare.Impostor = true
	list = append(list, bare, outcome("blurred", "a", false, true, true, "depth"))
	for range 4 {
		list = append(list, outcome("person", "b", true, false, true, "portrait"))
	}
	list = append(list, outcome("cut", "a", true, true, true))
	r, err := NewPAD(list, []SpeciesInfo{{Species: "paper", Title: "Paper"}, {Species: "person", Title: "Person", Impostor: true}, {Species: "cut", Title: "Cut", Limit: true}, {Species: "none"}, {Species: "blurred"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Counted by hand after the definitions of ISO/IEC 30107-3: APCER and BPCER among
// presentations with a response, APNRR, BPNRR, IAPMR and IAPAR among all.
func TestPADRatesAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	r := testPAD(t)
	b := r.BonaFide
	for name, v := range map[string]struct{ got, want Rate }{
		"BPCER": {b.BPCER.Rate, Rate{1, 19}}, "BPNRR": {b.BPNRR.Rate, Rate{1, 20}}, "refused": {b.Refused.Rate, Rate{3, 20}},
		"APCER": {r.Species[0].APCER.Rate, Rate{2, 9}}, "APNRR": {r.Species[0].APNRR.Rate, Rate{2, 11}},
		"IAPMR": {r.Species[0].IAPMR.Rate, Rate{2, 11}}, "IAPAR": {r.Species[0].IAPAR.Rate, Rate{1, 11}},
		"impostors": {r.Species[1].IAPAR.Rate, Rate{0, 4}}, "limit": {r.Species[2].APCER.Rate, Rate{1, 1}},
	} {
		if v.got != v.want {
			t.Errorf("%s is %v, want %v", name, v.got, v.want)
		}
	}
	if a := r.Species[3].APCER.Rate; a != (Rate{0, 1}) {
		t.Errorf("a live impostor counts in an APCER: %v", a)
	}
	if len(r.Species) != 4 || r.Species[1].APCER != nil || r.Species[0].People != 2 || b.People != 2 {
		t.Errorf("%+v", r.Species)
	}
	if r.MaxAPCER.Species != "paper" || r.MaxIAPAR.Species != "paper" {
		t.Errorf("worst: %s, %s; a stated limit must not count", r.MaxAPCER.Species, r.MaxIAPAR.Species)
	}
	if len(b.Groups) != 2 || b.Groups[0].Name != "group a" || b.Groups[0].Refused.Rate != (Rate{2, 10}) {
		t.Errorf("%+v", b.Groups)
	}
	if len(r.Species[0].Accepted) != 1 || r.Species[0].Accepted[0].Count != 1 {
		t.Errorf("%+v", r.Species[0].Accepted)
	}
}

// The same presentations, where light that follows is required: whoever was not lit is
// refused, and nobody else is accepted.
func TestWhereLightIsRequired(t *testing.T) {
	t.Parallel()
	lit := func(p Presentation, light string) Presentation { p.Light = light; return p }
	r, err := NewPAD([]Presentation{
		lit(outcome("", "a", true, true, true), "follows"), lit(outcome("", "a", true, true, true), "not_available"),
		lit(outcome("", "b", false, true, true, "depth"), "follows"), outcome("", "b", false, false, false),
		lit(outcome("screen", "a", true, true, true), "not_available"), lit(outcome("screen", "b", true, true, true), "follows"), outcome("screen", "b", false, true, true, "order"),
	}, []SpeciesInfo{{Species: "screen"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, s := r.BonaFide, r.Species[0]
	for name, v := range map[string]struct{ got, want Rate }{
		"BPCER": {b.BPCER.Rate, Rate{1, 3}}, "BPCER, required": {b.Lit.BPCER.Rate, Rate{2, 3}}, "refused, required": {b.Lit.Refused.Rate, Rate{3, 4}},
		"APCER": {s.APCER.Rate, Rate{2, 3}}, "APCER, required": {s.Lit.APCER.Rate, Rate{1, 3}}, "IAPAR, required": {s.Lit.IAPAR.Rate, Rate{1, 3}},
		"worst": {r.MaxAPCER.Rate.Rate, Rate{2, 3}}, "worst, required": {r.Lit.MaxIAPAR.Rate.Rate, Rate{1, 3}},
	} {
		if v.got != v.want {
			t.Errorf("%s is %v, want %v", name, v.got, v.want)
		}
	}
	if len(b.Light) != 3 || b.Light[0] != (Count{"follows", 2}) || s.Light[1].Count != 1 {
		t.Errorf("%+v, %+v", b.Light, s.Light)
	}
}

func TestSignalsThatStandAlone(t *testing.T) {
	t.Parallel()
	f := testPAD(t).Species[0].Signals
	want := []SignalFigures{{"order", 10, 11, 0}, {"depth", 11, 11, 1}, {"portrait", 0, 11, 0}}
	for i, w := range want {
		if f[i] != w {
			t.Errorf("%+v, want %+v", f[i], w)
		}
	}
	if s := testPAD(t).BonaFide.Signals[1]; s.Measured != 19 {
		t.Errorf("measured %d times, a signal without what it needs does not count", s.Measured)
	}
}

func TestAnEvaluationNeedsGenuinePeople(t *testing.T) {
	t.Parallel()
	if _, err := NewPAD([]Presentation{outcome("paper", "a", false, false, true)}, nil, nil); err == nil {
		t.Error("no bona fide presentation")
	}
}

// Among rates that are equal the worst is the least supported.
func TestWorstOfEqualRates(t *testing.T) {
	t.Parallel()
	var w Worst
	w.take("many", state(Rate{0, 100}, true))
	w.take("few", state(Rate{0, 10}, true))
	w.take("none", state(Rate{}, true))
	if w.Species != "few" {
		t.Errorf("%+v", w)
	}
}

func TestDeviationOfGroups(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		group, all Rate
		want       Deviation
	}{
		{Rate{5, 100}, Rate{50, 1000}, Undecided}, {Rate{60, 100}, Rate{50, 1000}, Worse}, {Rate{1, 1000}, Rate{50, 1000}, Within},
		{Rate{0, 10}, Rate{0, 100}, NoFailures}, {Rate{}, Rate{1, 10}, Undecided}, {Rate{500, 10_000}, Rate{5000, 100_000}, Within},
	} {
		if got := Deviates(v.group, v.all); got != v.want {
			t.Errorf("%v of %v: %s, want %s", v.group, v.all, got, v.want)
		}
	}
}

// Four genuine and four impostor scores; at .5 one of each is wrong.
func TestEqualErrorRate(t *testing.T) {
	t.Parallel()
	var trials []Trial
	for _, s := range []float64{.4, .6, .7, .8} {
		trials = append(trials, Trial{Genuine: true, Score: s})
	}
	for _, s := range []float64{.1, .2, .3, .55} {
		trials = append(trials, Trial{Score: s})
	}
	e := EqualError(NewScores(trials).DET())
	if e == nil || math.Abs(e.Rate-.25) > 1e-9 || e.Threshold <= .4 || e.Threshold > .55 {
		t.Errorf("%+v", e)
	}
	if EqualError(nil) != nil {
		t.Error("a rate without a curve")
	}
	h := NewScores(trials).Histogram()
	genuine, impostor := 0, 0
	for i := range h.Genuine {
		genuine, impostor = genuine+h.Genuine[i], impostor+h.Impostor[i]
	}
	if genuine != 4 || impostor != 4 || h.Low > .11 || h.Low+h.Width*float64(len(h.Genuine)) < .8 {
		t.Errorf("%+v", h)
	}
	if NewScores(nil).Histogram() != nil {
		t.Error("a distribution of nothing")
	}
}

func TestPageOfBothParts(t *testing.T) {
	t.Parallel()
	comparison, err := NewReport(randomTrials(3, 200), testThresholds(), []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{Pack: "pack <1>", Hash: "00ff", Material: "own", PAD: testPAD(t), Comparison: comparison,
		Networks: []Network{{"embedding", "x.onnx", "abcd", "MIT"}}, Stated: Stated{Thresholds: []StatedThreshold{{"1:10", .35, .02}}, InForce: "1:10", On: "somewhere", Live: .57}}
	var b bytes.Buffer
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, bad := range []string{"<script", "http:", "https:", "src=", "url(", "NaN", "Inf", "ZgotmplZ", "pack <1>", "<no value>"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, good := range []string{"BPCER", "APCER", "Clopper", "a stated limit", "no instrument", "abcd", "prefers-color-scheme", "@media print", "depth (1 of 11)", "Equal error rate", `lang="en"`} {
		if !strings.Contains(html, good) {
			t.Errorf("the page lacks %q", good)
		}
	}
	if strings.Count(html, "<svg") != 3 || strings.Count(html, `role="img" aria-label=`) != 3 {
		t.Error("a plot is missing or has no text beside it")
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
}
