package eval

import (
	"bytes"
	"strings"
	"testing"
)

// Genuine people in conditions are counted under these alone, and what no camera
// can do well is not counted among the rest.
func TestConditionsAreCountedApart(t *testing.T) {
	t.Parallel()
	in := func(condition, person string, live bool, failed ...string) Presentation {
		p := outcome("", person, live, live, true, failed...)
		p.Condition = condition
		return p
	}
	dark := in("dark", "a", false, "depth")
	dark.Reason = "poor_quality"
	filmed := outcome("paper", "a", false, true, true, "depth")
	filmed.Condition = "dim"
	list := []Presentation{outcome("", "a", true, true, true), in("dim", "a", true), in("dim", "b", false, "depth", "order"), dark, filmed}
	known := []ConditionInfo{{Name: "dim", Made: "little light"}, {Name: "dark", Unfit: true}, {Name: "unused"}}
	r, err := NewPAD(list, []SpeciesInfo{{Species: "paper", Title: "Paper"}}, known)
	if err != nil {
		t.Fatal(err)
	}
	if r.BonaFide.Presentations != 1 || r.BonaFide.Refused.Rate != (Rate{0, 1}) || r.Species[0].Presentations != 1 {
		t.Errorf("genuine %+v, paper %d", r.BonaFide, r.Species[0].Presentations)
	}
	k := r.Conditions
	if k.Presentations != 3 || k.BPCER.Rate != (Rate{1, 2}) || k.Refused.Rate != (Rate{1, 2}) || len(k.List) != 2 {
		t.Fatalf("%+v", k)
	}
	if d := k.List[0]; d.People != 2 || d.Refused.Rate != (Rate{1, 2}) || len(d.Signals) != 2 || d.Signals[0].Count != 1 || d.Quality != 0 {
		t.Errorf("dim: %+v", d)
	}
	if d := k.List[1]; d.Quality != 1 || !d.Unfit {
		t.Errorf("dark: %+v", d)
	}
	var page bytes.Buffer
	if err := (&Page{PAD: r}).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Genuine people before other cameras", "little light", "no good picture is possible"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if r, err := NewPAD(list[:1], nil, known); err != nil || r.Conditions != nil {
		t.Errorf("without conditions: %+v, %v", r, err)
	}
}
