package eval

import "testing"

func TestCalibrateStatesWhatTheSetSupports(t *testing.T) {
	t.Parallel()
	var trials []Trial
	for i := range 4000 { // impostors evenly from 0 to .4, genuine from .3 to .7
		trials = append(trials, Trial{Score: float64(i) / 10000}, Trial{Genuine: true, Score: .3 + float64(i)/10000})
	}
	list := NewScores(trials).Calibrate()
	if len(list) != 2 || list[0].Name() != "1:100" || list[1].Name() != "1:1000" {
		t.Fatalf("%+v", list)
	}
	for _, c := range list {
		if c.FMR.Value() > c.Claimed || c.FMR.Value() < .5*c.Claimed || c.FNMR.Value() < .2 || c.FNMR.Value() > .3 {
			t.Errorf("%s at %.4f: %+v, %+v", c.Name(), c.Score, c.FMR, c.FNMR)
		}
	}
	if list[0].Support != Measured || list[1].Support != Indicative {
		t.Errorf("support %s and %s", list[0].Support, list[1].Support)
	}
	if list := NewScores(trials[:200]).Calibrate(); list != nil {
		t.Errorf("100 impostors support no rate: %+v", list)
	}
	if list := NewScores(nil).Calibrate(); list != nil {
		t.Errorf("nothing: %+v", list)
	}
}
