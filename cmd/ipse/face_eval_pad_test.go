package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ipse/face"
	"ipse/face/attack"
	"ipse/face/eval"
)

// What is known is not done again, a line cut short is, and a failure is not kept.
func TestJournalGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "known")
	make := func(detail string) func() (eval.Presentation, error) {
		return func() (eval.Presentation, error) { return eval.Presentation{Detail: detail}, nil }
	}
	j, err := openJournal(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if _, err := j.through(key, make("first "+key)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.through("c", func() (eval.Presentation, error) { return eval.Presentation{}, errors.New("interrupted") }); err == nil || j.knows("c") {
		t.Error("a failure is known")
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b[:len(b)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(name); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "first a", "b": "second b"} {
		if p, err := j.through(key, make("second "+key)); err != nil || p.Detail != want {
			t.Errorf("%s: %q, %v", key, p.Detail, err)
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(name); err != nil || !j.knows("a") || !j.knows("b") {
		t.Errorf("the line after one cut short is lost: %v", err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	var none *padJournal
	if p, err := none.through("a", make("x")); err != nil || p.Detail != "x" || none.knows("a") || none.close() != nil {
		t.Error("no journal keeps something")
	}
}

// However early a run ends, no species is ahead of another by more than its share.
func TestSpeciesAdvanceTogether(t *testing.T) {
	t.Parallel()
	var jobs []padJob
	total := map[attack.Species]int{attack.BonaFide: 40, attack.Print: 4, attack.Swap: 8}
	for _, s := range []attack.Species{attack.BonaFide, attack.Print, attack.Swap} {
		for range total[s] {
			jobs = append(jobs, padJob{species: s})
		}
	}
	b := &padBench{cmd: faceEvalPadCmd{Seed: 1}}
	made, seen := map[attack.Species]int{}, map[int]bool{}
	for n, i := range b.mixed(jobs) {
		made[jobs[i].species]++
		seen[i] = true
		for s, k := range made {
			if share := float64(n+1) / float64(len(jobs)) * float64(total[s]); float64(k) > share+1.5 || float64(k) < share-1.5 {
				t.Fatalf("after %d: %d of %s, %.1f is its share", n+1, k, s, share)
			}
		}
	}
	if len(seen) != len(jobs) {
		t.Errorf("%d of %d jobs", len(seen), len(jobs))
	}
}

// What a run that ended early could not measure is not counted as measured, and
// advisory signals decide nothing.
func TestOutcomesTellFailedFromUnmeasured(t *testing.T) {
	t.Parallel()
	report := face.Report{StepsDone: 2, Steps: []face.StepReport{{Action: face.ActionCenter}, {Action: face.ActionSmile}, {Action: face.ActionTurnLeft}}, Surfaces: 1, Light: face.LightReport{Outcome: face.LightNotAvailable, Shown: 2}, Continuity: 1, ContinuityTurned: 1,
		Signals: []face.Signal{{Name: "instructions_followed"}, {Name: "depth"}, {Name: "no_screen", Note: "not measured"}, {Name: "camera_stream", Passed: true}, {Name: "enough_samples"},
			{Name: "one_person_throughout"}, {Name: "person_of_portrait"}, {Name: "light", Passed: true, Note: "not available"}}}
	var out eval.Presentation
	conclude(&out, face.Decision{Reason: face.ReasonTimeout}, report)
	want := []eval.SignalState{eval.SignalFailed, eval.SignalNotMeasured, eval.SignalNotMeasured, eval.SignalPassed, eval.SignalNotMeasured, eval.SignalNotMeasured, eval.SignalNotMeasured, eval.SignalNotMeasured}
	for i, w := range want {
		if out.Signals[i].State != w {
			t.Errorf("%s is %s, want %s", out.Signals[i].Name, out.Signals[i].State, w)
		}
	}
	if out.Stuck != "turnLeft" || !out.Responded || out.Live || out.Matched || out.Accepted || out.Reason != "timeout" || out.Light != "" {
		t.Errorf("%+v", out)
	}

	out = eval.Presentation{}
	conclude(&out, face.Decision{Accepted: true}, face.Report{StepsDone: 1, Steps: []face.StepReport{{}}, Signals: []face.Signal{{Name: "depth", Passed: true}, {Name: "person_of_portrait", Passed: true}, {Name: "passive", Note: "advisory"}}})
	if !out.Live || !out.Matched || !out.Accepted || out.Stuck != "" {
		t.Errorf("an advisory signal decides: %+v", out)
	}

	// What light stands in for passes, unmeasured; light that is missing and required
	// is one of the signals.
	for outcome, passed := range map[face.LightOutcome]bool{face.LightFollows: true, face.LightNotAvailable: false} {
		out = eval.Presentation{}
		conclude(&out, face.Decision{Accepted: passed}, face.Report{StepsDone: 1, Steps: []face.StepReport{{}}, Light: face.LightReport{Outcome: outcome, Shown: colours},
			Signals: []face.Signal{{Name: "no_screen", Passed: passed, Note: "by light"}, {Name: "person_of_portrait", Passed: true}, {Name: "light", Passed: passed, Note: "not available"}}})
		if out.Live != passed || out.Light != string(outcome) || out.Signals[0].State != eval.SignalNotMeasured {
			t.Errorf("%s: %+v", outcome, out)
		}
	}
}

// The light of a presentation can be drawn by a live check, and is its own.
func TestLightOfAPresentation(t *testing.T) {
	t.Parallel()
	b := &padBench{}
	seen := map[string]bool{}
	for i := range 20 {
		list := b.light(padJob{species: attack.BonaFide, person: &padPerson{IndexPerson: eval.IndexPerson{ID: "a"}}, variant: i})
		all := ""
		for k, s := range list {
			if !slices.Contains(face.LightColours(), s.Colour) || s.At != 0 || (k > 0 && list[k-1].Colour == s.Colour) {
				t.Fatalf("%+v", list)
			}
			all += s.Colour
		}
		seen[all] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d sequences in 20 presentations", len(seen))
	}
}

func TestSpeciesOfAnIndexAreKnown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]attack.Species{"print": attack.Print, "bent": attack.BentPrint, "mask": attack.CutMask, "screen": attack.ScreenVideo, "still": attack.InjectedStill,
		"order": attack.WrongOrder, "swap": attack.Swap, "twofaces": attack.TwoPeople, "screen_still": attack.ScreenStill} {
		if got, ok := indexSpecies(name); !ok || got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, ok := indexSpecies("levitation"); ok {
		t.Error("an unknown kind is known")
	}
}
