package face_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

// litEngine asks for few actions, so that the colours come soon.
func litEngine(t testing.TB, rule face.LightRule) *face.Engine {
	t.Helper()
	e, err := litEngines()[rule]()
	if err != nil {
		t.Skip("no engine:", err)
	}
	return e
}

var litEngines = sync.OnceValue(func() map[face.LightRule]func() (*face.Engine, error) {
	engines := map[face.LightRule]func() (*face.Engine, error){}
	for _, rule := range []face.LightRule{face.LightWhenAvailable, face.LightRequired} {
		engines[rule] = sync.OnceValues(func() (*face.Engine, error) {
			p, err := pack.Default()
			if err != nil {
				return nil, err
			}
			runtime, err := onnx.New(onnx.Config{})
			if err != nil {
				return nil, err
			}
			policy := face.DefaultPolicy()
			policy.Count, policy.Light = 4, rule
			return face.NewEngine(face.Config{Pack: p, Inferer: runtime, Random: &counter{x: 7}, Policy: policy})
		})
	}
	return engines
})

// lamp lights a person's frames by what the page shows.
type lamp struct {
	t       testing.TB
	e       *face.Engine
	cam     camera
	light   face.Relight
	late    int                                // frames between the page and the eye of the camera
	other   map[string]string                  // colours that the light shows instead
	balance func(frame int) (gains [3]float64) // of the camera
	shown   []string
	frame   int
}

func (l *lamp) see(hex string) { l.shown = append(l.shown, hex) }

func (l *lamp) next(i face.Instruction) []byte {
	data := l.cam.next(i)
	l.frame++
	n := len(l.shown) - 1 - l.late
	if n < 0 || l.shown[n] == "" {
		return data
	}
	hex := l.shown[n]
	if o, ok := l.other[hex]; ok {
		hex = o
	}
	r := l.light
	if l.balance != nil {
		r.Gains = l.balance(l.frame)
	}
	out, err := l.e.Relight(l.t.Context(), data, hex, r)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// runLit drives a check, telling the lamp the colours.
func runLit(t testing.TB, c *face.Check, l *lamp) outcome {
	t.Helper()
	defer c.Wipe()
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	instruction := c.Instruction()
	o := outcome{hints: map[face.Hint]int{}}
	for i := range 2000 {
		at := time.Duration(i) * 100 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: l.next(instruction), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		l.see(g.Light)
		instruction = g.Instruction
		o.frames++
		if g.Finished {
			break
		}
	}
	o.Decision, o.report = c.Decide(), c.Report()
	return o
}

func turned(n int) map[string]string {
	hues := []string{"#ff7070", "#ffff40", "#40ff40", "#40ffff", "#4040ff", "#ff40ff"}
	m := map[string]string{}
	for i, h := range hues {
		m[h] = hues[(i+n)%len(hues)]
	}
	return m
}

func TestLightOnRenderedFaces(t *testing.T) {
	t.Parallel()
	// White balance that turns against what it sees, and back.
	drift := func(frame int) [3]float64 {
		d := .06 * float64(frame%40) / 40
		return [3]float64{1 + d, 1, 1 - d}
	}
	cases := []struct {
		name    string
		light   face.Relight
		late    int
		other   map[string]string
		balance func(int) [3]float64
		person  string // or the first
		want    face.LightOutcome
	}{
		{name: "a lit face", light: face.Relight{Screen: .25, Wall: .03}, late: 1, want: face.LightFollows},
		{name: "another sequence", light: face.Relight{Screen: .25, Wall: .03}, late: 1, other: turned(2), want: face.LightContradicts},
		{name: "no light", want: face.LightNotAvailable},
		{name: "the page's mirror image on the whole face", light: face.Relight{Mirror: .02}, late: 1, person: "p05", want: face.LightNotAvailable},
		{name: "white balance", light: face.Relight{Screen: .15, Wall: .03}, late: 2, balance: drift, want: face.LightFollows},
		{name: "the whole picture dyed", light: face.Relight{Screen: .25, Wall: .25}, late: 1, want: face.LightNotAvailable},
		{name: "a dim screen", light: face.Relight{Screen: .05}, late: 2, want: face.LightFollows},
		{name: "a late line", light: face.Relight{Screen: .15}, late: 4, want: face.LightFollows},
		{name: "opposite colours", light: face.Relight{Screen: .15}, late: 2, other: turned(3), want: face.LightContradicts},
		{name: "a line far too slow", light: face.Relight{Screen: .25}, late: 8, want: face.LightNotAvailable},
	}
	for i, test := range some(cases, 3) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := litEngine(t, face.LightWhenAvailable)
			people := livePeople(t)[:1]
			if i == 0 {
				people = some(livePeople(t), 1)
			}
			if test.person != "" { // whose brows are dark
				people = []string{test.person}
			}
			for _, p := range people {
				o := runLit(t, check(t, e, p), &lamp{t: t, e: e, cam: newFollower(live(t, p)), light: test.light, late: test.late, other: test.other, balance: test.balance})
				if o.report.Light.Outcome != test.want {
					t.Errorf("%s: %+v", p, o.report.Light)
				}
				if o.Accepted != (test.want != face.LightContradicts) {
					t.Errorf("%s: %+v %+v", p, o.Decision, o.report.Signals)
				}
			}
		})
	}
}

// Where light is required, nobody passes without: neither a face that is not lit
// nor whoever declines. Elsewhere both pass, and the report says why.
func TestRequiredLightIsRequired(t *testing.T) {
	t.Parallel()
	s := live(t, "p02")
	for _, test := range []struct {
		rule    face.LightRule
		decline bool
	}{{face.LightRequired, false}, {face.LightRequired, true}, {face.LightWhenAvailable, true}} {
		c := check(t, litEngine(t, test.rule), "p02")
		if test.decline {
			c.DeclineLight()
		}
		o := run(t, c, newFollower(s))
		required := test.rule == face.LightRequired
		if o.Accepted == required || (required && o.Reason != face.ReasonNotLive) || passed(o.report, "light") == required {
			t.Errorf("%+v: %+v", test, o.Decision)
		}
		if !passed(o.report, "instructions_followed") {
			t.Errorf("%+v: %+v", test, o.report.Signals)
		}
		if r := o.report.Light; r.Outcome != face.LightNotAvailable || (r.Shown == 0) != test.decline || (len(o.report.Steps) == 5) != test.decline {
			t.Errorf("%+v: %+v, %d steps", test, r, len(o.report.Steps))
		}
	}
}

// keeper notes what a live run showed and told, as whoever records one for others
// to judge.
type keeper struct {
	frames [][]byte
	given  []face.Given
	shown  []face.Shown
}

// A recorded run is judged by the colours that were shown and when: as the live one,
// and not by colours that were not shown.
func TestARecordedRunIsJudgedByItsLight(t *testing.T) {
	t.Parallel()
	e := litEngine(t, face.LightRequired)
	l := &lamp{t: t, e: e, cam: newFollower(live(t, "p02")), light: face.Relight{Screen: .25, Wall: .03}, late: 1}
	c := check(t, e, "p02")
	defer c.Wipe()
	var k keeper
	start := time.Unix(0, 0)
	for i := 0; ; i++ {
		at := time.Duration(i) * 100 * time.Millisecond
		in := c.Instruction()
		f := bytes.Clone(l.next(in))
		k.frames = append(k.frames, f)
		g, err := c.Push(t.Context(), face.Frame{JPEG: f, CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		l.see(g.Light)
		if next := g.Instruction; g.StepDone && next.Action != face.ActionLight && !g.Finished {
			k.given = append(k.given, face.Given{Action: next.Action, At: at})
		}
		if n := len(k.shown); g.Light != "" && (n == 0 || k.shown[n-1].Colour != g.Light) {
			k.shown = append(k.shown, face.Shown{Colour: g.Light, At: at})
		}
		if g.Finished {
			break
		}
	}
	if d := c.Decide(); !d.Accepted {
		t.Fatalf("live: %+v", d)
	}
	if r := k.judge(t, e, k.shown); !r.Accepted || r.report.Light.Outcome != face.LightFollows {
		t.Errorf("recorded: %+v, %+v", r.Decision, r.report.Light)
	}
	other := turned(2)
	for i := range k.shown[1:] {
		k.shown[i+1].Colour = other[k.shown[i+1].Colour]
	}
	if r := k.judge(t, e, k.shown); r.Accepted || r.report.Light.Outcome == face.LightFollows {
		t.Errorf("other colours: %+v, %+v", r.Decision, r.report.Light)
	}
}

func (k *keeper) judge(t testing.TB, e *face.Engine, shown []face.Shown) outcome {
	t.Helper()
	c, err := e.NewRecordedCheck(t.Context(), nil, k.given, shown)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Wipe()
	start := time.Unix(0, 0)
	for i, f := range k.frames {
		at := time.Duration(i) * 100 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: f, CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		if g.Finished {
			break
		}
	}
	return outcome{Decision: c.Decide(), report: c.Report()}
}
