package attack

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/face"
)

// grey is a picture of one colour.
func grey(w, h int, r, g, b byte) *picture {
	p := newPicture(w, h)
	for i := range w * h {
		p.pix[4*i], p.pix[4*i+1], p.pix[4*i+2], p.pix[4*i+3] = r, g, b, 255
	}
	return p
}

// roomOf is a picture with edges and colours.
func roomOf(w, h int) *picture {
	p := newPicture(w, h)
	p.room(NewRandom(5, "scene"))
	return p
}

func tested(o optics) *camera {
	r := NewRandom(9, "camera")
	return newCamera(o, r, newTable(r))
}

func filmed(t *testing.T, c *camera, p *picture, at time.Duration) *picture {
	t.Helper()
	q := &picture{}
	q.copyFrom(p)
	if err := c.film(q, at, Anchor{}); err != nil {
		t.Fatal(err)
	}
	return q
}

func worst(p, q *picture) int {
	most := 0
	for i := range p.pix {
		d := int(p.pix[i]) - int(q.pix[i])
		most = max(most, d, -d)
	}
	return most
}

func TestCameraWithoutPropertiesChangesNothing(t *testing.T) {
	t.Parallel()
	p := roomOf(96, 64)
	if d := worst(p, filmed(t, tested(optics{}), p, 0)); d > 1 {
		t.Errorf("levels change by %d", d)
	}
}

// Photons come at random: the variance grows with the signal, and reading adds its own.
func TestNoiseOfTheSensorFollowsPhotons(t *testing.T) {
	t.Parallel()
	for _, level := range []byte{20, 90, 180} {
		c := tested(optics{electrons: 2000, read: 5})
		p := grey(128, 96, level, level, level)
		c.prepare(p, Anchor{})
		c.tables()
		c.expose(p, 0)
		mean, square, n := 0., 0., float64(len(c.lin))
		for _, v := range c.lin {
			mean += float64(v) / linWhite * 2000 / n
		}
		for _, v := range c.lin {
			d := float64(v)/linWhite*2000 - mean
			square += d * d / n
		}
		signal := linearOf(float64(level)/255) * 2000
		if want := signal + 25; math.Abs(square/want-1) > .2 || math.Abs(mean/signal-1) > .05 {
			t.Errorf("level %d: %.0f electrons, want %.0f; variance %.0f, want %.0f", level, mean, signal, square, want)
		}
	}
}

func TestMosaicKeepsColours(t *testing.T) {
	t.Parallel()
	p := grey(32, 24, 180, 90, 40)
	if d := worst(p, filmed(t, tested(optics{mosaic: true}), p, 0)); d > 1 {
		t.Errorf("an even colour changes by %d", d)
	}
	edge := grey(32, 24, 20, 20, 20)
	for y := range 24 {
		for x := 16; x < 32; x++ {
			edge.set(x, y, rgb{230, 230, 230})
		}
	}
	q := filmed(t, tested(optics{mosaic: true}), edge, 0)
	if o := 4 * (12*32 + 8); q.pix[o] != q.pix[o+2] || q.pix[o] > 22 {
		t.Error("far from an edge something changes")
	}
	coloured := false
	for x := 14; x < 18; x++ {
		o := 4 * (12*32 + x)
		coloured = coloured || q.pix[o] != q.pix[o+2]
	}
	if !coloured {
		t.Error("a grey edge shows no false colour: no colour was filled in")
	}
}

// rowsOf are the mean levels of green of the rows.
func rowsOf(p *picture) []float64 {
	list := make([]float64, p.h)
	for y := range list {
		for x := range p.w {
			list[y] += float64(p.pix[4*(y*p.w+x)+1]) / float64(p.w)
		}
	}
	return list
}

func TestFlickerAveragesOverWholePeriods(t *testing.T) {
	t.Parallel()
	p := grey(16, 240, 120, 120, 120)
	spread := func(exposure float64) float64 {
		rows := rowsOf(filmed(t, tested(optics{mains: 100, ripple: .5, exposure: exposure, readout: .03}), p, 0))
		return slices.Max(rows) - slices.Min(rows)
	}
	if d := spread(1. / 60); d < 8 {
		t.Errorf("bands of %.1f levels", d)
	}
	if d := spread(2. / 100); d > 1 {
		t.Errorf("two whole periods leave bands of %.1f levels", d)
	}
	rows := rowsOf(filmed(t, tested(optics{mains: 100, ripple: .5, exposure: 1. / 60, readout: .03}), p, 0))
	if d := math.Abs(rows[10] - rows[90]); d > 1 { // 80 of 240 rows are 10 ms
		t.Errorf("a period later the light differs by %.1f", d)
	}
}

func TestExposureFollowsTheLightAndEnds(t *testing.T) {
	t.Parallel()
	p := roomOf(96, 64)
	c := tested(optics{room: .25, maxGain: 8})
	if got, want := filmed(t, c, p, 0).mean().luma(), p.mean().luma(); math.Abs(got-want) > 6 {
		t.Errorf("a quarter of the light shows as %.0f, not %.0f", got, want)
	}
	if c = tested(optics{room: .02, maxGain: 8}); filmed(t, c, p, 0).mean().luma() > p.mean().luma()*.7 || c.gain > 8 {
		t.Errorf("gain %.1f makes day of night", c.gain)
	}
	// A step of the light is followed after the lag, in steps.
	c = tested(optics{maxGain: 8, aeStep: .1, aeLag: 2})
	filmed(t, c, p, 0)
	c.level = .5
	c.tables()
	before := c.gain
	for i := range 12 {
		last := c.gain
		filmed(t, c, p, time.Duration(i+1)*time.Second/10)
		if up := math.Log2(c.gain / last); up > .101 || (i < 2 && up != 0) {
			t.Fatalf("frame %d: gain changes by %.2f stops", i, up)
		}
	}
	if c.gain < 1.3*before {
		t.Errorf("the gain stays at %.2f", c.gain)
	}
}

// noiseOf is the deviation between two pictures, a frame's share.
func noiseOf(p, q *picture) float64 {
	sum := 0.
	for i := range p.pix {
		d := float64(p.pix[i]) - float64(q.pix[i])
		sum += d * d
	}
	return math.Sqrt(sum / 2 / float64(len(p.pix)) * 4 / 3) // the fourth byte is none
}

func TestTemporalFilterStillsWhatStands(t *testing.T) {
	t.Parallel()
	p := grey(96, 64, 120, 110, 100)
	run := func(o optics) (last, noise float64) {
		o.electrons, o.read = 2500, 3
		c := tested(o)
		a, b := &picture{}, &picture{}
		for i := range 25 {
			a, b = b, filmed(t, c, p, time.Duration(i)*time.Second/12)
		}
		return float64(worst(a, b)), noiseOf(a, b)
	}
	_, plain := run(optics{})
	_, filtered := run(optics{temporal: .85})
	if filtered > .5*plain || filtered == 0 {
		t.Errorf("noise %.2f with the filter, %.2f without", filtered, plain)
	}
	if most, _ := run(optics{temporal: .85, coring: 240}); most != 0 {
		t.Errorf("behind a noise gate something changes by %.0f", most)
	}
	// What moves does not smear.
	c := tested(optics{temporal: .9})
	for range 5 {
		filmed(t, c, p, 0)
	}
	if d := worst(filmed(t, c, grey(96, 64, 220, 210, 200), 0), grey(96, 64, 220, 210, 200)); d > 2 {
		t.Errorf("a great change is smeared by %d levels", d)
	}
}

func TestBlocksThatHardlyChangeAreNotSent(t *testing.T) {
	t.Parallel()
	p := roomOf(96, 64)
	c := tested(optics{block: 60, skip: 3})
	first := filmed(t, c, p, 0)
	moved := &picture{}
	moved.copyFrom(p)
	for i := range moved.pix {
		moved.pix[i] = byte(min(int(moved.pix[i])+1, 255))
	}
	for y := range 16 {
		for x := range 16 {
			moved.set(x, y, rgb{250, 10, 10})
		}
	}
	second := filmed(t, c, moved, time.Second)
	for y := range 64 {
		for x := range 96 {
			o := 4 * (y*96 + x)
			if same := bytes.Equal(first.pix[o:o+3], second.pix[o:o+3]); same != (x >= 16 || y >= 16) {
				t.Fatalf("pixel %d,%d: the same is %v", x, y, same)
			}
		}
	}
}

func TestLensAndSizes(t *testing.T) {
	t.Parallel()
	p := roomOf(96, 72)
	q := filmed(t, tested(optics{width: 48, height: 27}), p, 0)
	if q.w != 48 || q.h != 27 {
		t.Errorf("%d x %d pixels", q.w, q.h)
	}
	if d := math.Abs(q.mean().luma() - p.mean().luma()); d > 12 {
		t.Errorf("smaller, it is brighter by %.0f", d)
	}
	flat := grey(96, 72, 128, 128, 128)
	q = filmed(t, tested(optics{corners: .5, barrel: .1}), flat, 0)
	if corner, middle := q.pix[1], q.pix[4*(36*96+48)+1]; corner > 105 || middle < 126 {
		t.Errorf("the corner has %d, the middle %d", corner, middle)
	}
	// Barrel distortion draws what is at the edge towards the middle's scale.
	xs, _ := lensMap(97, 73, .1)
	inner, outer := xs[36*97+58]-xs[36*97+48], xs[36*97+90]-xs[36*97+80]
	if inner >= outer {
		t.Errorf("ten pixels are %d in the middle and %d at the edge", inner, outer)
	}
}

// Local tone mapping lightens what is dark and darkens what is bright.
func TestProcessingAgainstTheLight(t *testing.T) {
	t.Parallel()
	p := grey(160, 120, 40, 40, 40)
	for y := range 120 {
		for x := range 80 {
			p.set(x, y, rgb{200, 200, 200})
		}
	}
	q := filmed(t, tested(optics{local: .5}), p, 0)
	if dark, bright := q.pix[4*(60*160+140)], q.pix[4*(60*160+20)]; dark < 50 || bright > 195 {
		t.Errorf("dark %d, bright %d", dark, bright)
	}
	sharp := filmed(t, tested(optics{sharpen: 1}), p, 0)
	if o := 4 * (60*160 + 79); sharp.pix[o] <= 200 {
		t.Error("no halo at an edge")
	}
	soft := filmed(t, tested(optics{smooth: 20, passes: 2, electrons: 600, read: 3}), p, 0)
	raw := filmed(t, tested(optics{electrons: 600, read: 3}), p, 0)
	if a, b := noiseOf(soft, p), noiseOf(raw, p); a > .8*b {
		t.Errorf("noise %.2f smoothed, %.2f raw", a, b)
	}
}

func TestPacing(t *testing.T) {
	t.Parallel()
	p := &pacing{timing: timing{rate: 12, jitter: .3, doubled: .2, dropped: .2, hiccup: .02, clock: 100 * time.Millisecond, delay: .1, stall: .05}, r: NewRandom(1, "pace")}
	var last, arrived time.Duration
	again := 0
	for i := range 600 {
		at, said, received, twice := p.next()
		if i > 0 && (at <= last || received <= arrived) {
			t.Fatal("time does not advance")
		}
		if said%(100*time.Millisecond) != 0 || said > at || received < at {
			t.Fatalf("taken at %v, said %v, received %v", at, said, received)
		}
		if last, arrived = at, received; twice {
			again++
		}
	}
	if again < 60 || again > 180 {
		t.Errorf("%d of 600 twice", again)
	}
	if rate := 599 / last.Seconds(); rate < 7 || rate > 11 {
		t.Errorf("%.1f frames a second", rate)
	}
}

func TestConditionsCanBeMadeAndAreReproducible(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range Conditions() {
		if seen[c.Name] || c.Name == "" || c.Made == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var runs [2][][]byte
			for i := range runs {
				set := setting(t, 2)
				set.Condition = c.Name
				p, err := New(BonaFide, set)
				if err != nil {
					t.Fatal(err)
				}
				runs[i], _ = play(t, p, set, 8, 4)
				p.Wipe()
				if slices.ContainsFunc(p.camera.sent.pix, func(v byte) bool { return v != 0 }) || slices.ContainsFunc(p.camera.lin, func(v int32) bool { return v != 0 }) {
					t.Error("a picture stays")
				}
			}
			if !slices.EqualFunc(runs[0], runs[1], bytes.Equal) {
				t.Error("the same seed gives other frames")
			}
		})
	}
	if _, ok := ConditionOf("weightlessness"); ok {
		t.Error("an unknown condition is known")
	}
	set := setting(t, 0)
	set.Condition = "weightlessness"
	if _, err := New(BonaFide, set); err == nil {
		t.Error("an unknown condition is made")
	}
}

func TestWhatIsFilmedAndWhatIsNot(t *testing.T) {
	t.Parallel()
	set := setting(t, 1)
	set.Condition = "phone_as_camera"
	for _, s := range []Species{AnotherPerson, Print, InjectedStill, Looped} {
		p, err := New(s, set)
		if Filmed(s) != (err == nil) {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if err == nil {
			if !strings.HasPrefix(p.Detail, "phone_as_camera, ") {
				t.Errorf("%s is told as %q", s, p.Detail)
			}
			play(t, p, set, 3, 2)
			p.Wipe()
		}
	}
}

func TestMannersOfPeople(t *testing.T) {
	t.Parallel()
	list := []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	small := &manner{shallow: .5, hold: 2}
	first, third := small.shape(face.ActionTurnLeft, list, 0), small.shape(face.ActionTurnLeft, list, 2)
	if slices.Max(first) >= slices.Max(third) || first[0] != 10 || first[len(first)-1] != 10 {
		t.Errorf("first %v, third %v", first, third)
	}
	if got := small.shape(face.ActionTurnLeft, list, 9); slices.Max(got) != 19 || len(got) != 12 {
		t.Errorf("at last %v", got)
	}
	var none *manner
	if !slices.Equal(none.shape(face.ActionBlink, list, 0), list) || none.told(face.ActionLookUp, 0) != face.ActionLookUp {
		t.Error("no manner is one")
	}
	wrong := &manner{wrong: true}
	if wrong.told(face.ActionSmile, 0) != face.ActionSmile || wrong.told(face.ActionTurnLeft, 0) != face.ActionTurnRight || wrong.told(face.ActionTurnLeft, 1) != face.ActionTurnLeft || wrong.told(face.ActionTurnRight, 0) != face.ActionTurnRight {
		t.Error("the wrong way is not taken once")
	}
	said := speech(list, NewRandom(1))
	if said[len(said)-1] != 10 || slices.Max(said) < 11 || slices.Max(said) > 14 {
		t.Errorf("said %v", said)
	}
}

// A slow camera shows movements at their own speed, and misses frames of them.
func TestScriptsKeepTheirTime(t *testing.T) {
	t.Parallel()
	of := recording(t, "one", 40)
	c := &clocked{script: &player{of: of, list: whole(of), speed: 1}, rate: 10}
	var shown []int
	for i := range 6 {
		shown = append(shown, c.next(time.Duration(i)*time.Second/5, face.Instruction{}).frame)
	}
	if !slices.Equal(shown, []int{0, 2, 4, 6, 8, 10}) {
		t.Errorf("at five frames a second %v", shown)
	}
}
