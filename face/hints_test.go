package face_test

import (
	"testing"
	"time"

	"ipse/face"
)

// changed passes another camera's frames through f.
type changed struct {
	camera
	f func([]byte) []byte
}

func (c changed) next(i face.Instruction) []byte { return c.f(c.camera.next(i)) }

// What is wrong with the picture is said in a way that a person can act on, and
// a check that stays so is refused for its quality.
func TestHintsForPoorFrames(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	for name, test := range map[string]struct {
		f    func([]byte) []byte
		want face.Hint
	}{
		"dark":   {func(b []byte) []byte { return repaint(t, b, func(v int) int { return v / 8 }) }, face.HintMoreLight},
		"bright": {func(b []byte) []byte { return repaint(t, b, func(v int) int { return 2*v + 60 }) }, face.HintLessLight},
		"blur":   {func(b []byte) []byte { return blur(t, b, 5) }, face.HintTooBlurred},
		"far":    {func(b []byte) []byte { return shift(t, b, 4, 200, 150) }, face.HintComeCloser},
		"corner": {func(b []byte) []byte { return shift(t, b, 2, -140, -100) }, face.HintCenterFace},
		"window": {func(b []byte) []byte { return backlit(t, b) }, face.HintLightBehind},
		"black":  {func([]byte) []byte { return plainJPEG(t, 640, 480, 3) }, face.HintLensCovered},
		"nobody": {func([]byte) []byte { return greyJPEG(t, 640, 480) }, face.HintFaceNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame := test.f(s.jpeg[0])
			c := check(t, e, "p02")
			o := run(t, c, changed{newFollower(s), func(b []byte) []byte {
				return append(frame[:len(frame):len(frame)], byte(len(b)), b[len(b)/2], b[len(b)/3])
			}})
			if o.hints[test.want] < o.frames/2 {
				t.Errorf("hints %v, want %s", o.hints, test.want)
			}
			if o.Accepted || (o.Reason != face.ReasonPoorQuality && o.Reason != face.ReasonTimeout) {
				t.Errorf("%+v", o.Decision)
			}
		})
	}
}

// backlit darkens the person and brightens what is behind.
func backlit(t *testing.T, data []byte) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			dx, dy := float64(x-320)/130, float64(y-240)/190
			c := img.RGBAAt(x, y)
			if dx*dx+dy*dy < 1 {
				c.R, c.G, c.B = c.R/4, c.G/4, c.B/4
			} else {
				c.R, c.G, c.B = clampInt(int(c.R)+90), clampInt(int(c.G)+90), clampInt(int(c.B)+90)
			}
			img.SetRGBA(x, y, c)
		}
	}
	return encodeJPEG(t, img)
}

// once plays other frames for a while in the middle of a run.
type once struct {
	camera
	other    camera
	from, to int
	n        int
}

func (o *once) next(i face.Instruction) []byte {
	o.n++
	if o.n >= o.from && o.n < o.to {
		return o.other.next(i)
	}
	return o.camera.next(i)
}

// Somebody who walks through the picture costs a hint, not the check.
func TestPasserByIsForgiven(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	two := attack(t, "twofaces_p02_p09")
	two.jpeg = two.jpeg[:3] // near neutral
	o := run(t, check(t, e, "p02"), &once{camera: newFollower(s), other: &looper{s: two}, from: 7, to: 13})
	if !o.Accepted || o.hints[face.HintOnePersonOnly] == 0 {
		t.Errorf("%+v, hints %v", o.Decision, o.hints)
	}
}

// A page that takes fifteen frames of a camera that gives ten sends some twice.
func TestRepeatedFramesAreHarmless(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p05")
	c := check(t, e, "p05")
	defer c.Wipe()
	cam, i := newFollower(s), c.Instruction()
	start := time.Unix(0, 0)
	var frame []byte
	for n := range 400 {
		if n%3 != 1 {
			frame = cam.next(i)
		}
		at := time.Duration(n) * 66 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: frame, CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		if i = g.Instruction; g.Finished {
			break
		}
	}
	if d := c.Decide(); !d.Accepted || c.Report().Repeated == 0 {
		t.Errorf("%+v, %d repeated", d, c.Report().Repeated)
	}
}

// interpolator puts between two frames the mean of both.
type interpolator struct {
	t    *testing.T
	cam  camera
	last []byte
	held []byte
}

func (p *interpolator) next(i face.Instruction) []byte {
	if p.held != nil {
		f := p.held
		p.held = nil
		return f
	}
	f := p.cam.next(i)
	if p.last == nil {
		p.last = f
		return f
	}
	m := mix(p.t, p.last, f)
	p.last, p.held = f, f
	return m
}

func TestInterpolatedFramesAreRefused(t *testing.T) {
	t.Parallel()
	o := run(t, check(t, engine(t), "p02"), &interpolator{t: t, cam: newFollower(live(t, "p02"))})
	if o.Accepted || passed(o.report, "camera_stream") {
		t.Errorf("%+v, %d mixed of %d", o.Decision, o.report.Mixed, o.report.Judged)
	}
}

// Who turns too little is told so, once it is clear.
func TestSmallMovementsAreEncouraged(t *testing.T) {
	t.Parallel()
	s := live(t, "p02")
	c, err := engine(t).NewRecordedCheck(t.Context(), nil, []face.Given{{Action: face.ActionTurnLeft}, {Action: face.ActionSmile}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	small := s.piece(face.ActionTurnLeft, 0)
	for small[0]++; s.Frames[small[0]].Yaw < 11; small[0]++ {
	}
	o := run(t, c, &once{camera: newFollower(s), other: &looper{s: &sequence{jpeg: [][]byte{s.jpeg[small[0]], s.jpeg[small[0]][:len(s.jpeg[small[0]])-2]}}}, from: 7, to: 1000})
	if o.Accepted || o.hints[face.HintFurther] < 10 {
		t.Errorf("%+v, hints %v", o.Decision, o.hints)
	}
}

// A soft camera passes in the page's light: 320 x 240 pixels drawn out to 640 x 480,
// compressed hard. Without light it passes where a screen's grid could have been seen,
// and is refused for the picture's quality where it could not.
func TestSoftCameraPassesInTheLight(t *testing.T) {
	t.Parallel()
	e := litEngine(t, face.LightWhenAvailable)
	soft := func(b []byte) []byte { return drawnOut(t, b) }
	for _, p := range some(livePeople(t), 1) {
		o := runLit(t, check(t, e, p), &lamp{t: t, e: e, cam: changed{newFollower(live(t, p)), soft}, light: face.Relight{Screen: .15, Wall: .03}, late: 1})
		if !o.Accepted || o.report.Blurred > 0 || o.report.Light.Outcome != face.LightFollows {
			t.Errorf("%s: %+v, %d frames out of focus, %d surfaces, %+v", p, o.Decision, o.report.Blurred, o.report.Surfaces, o.report.Light)
		}
		c := check(t, e, p)
		c.DeclineLight()
		o = run(t, c, changed{newFollower(live(t, p)), soft})
		if o.Accepted != o.report.Resolved || o.report.Blurred > 0 || (!o.Accepted && o.Reason != face.ReasonPoorQuality) {
			t.Errorf("%s without light: %+v, %d frames out of focus, %d surfaces", p, o.Decision, o.report.Blurred, o.report.Surfaces)
		}
	}
}

// A screen a little out of focus, whose movements count, is refused where no light
// stands in: nothing of its grid is left to be seen.
func TestAScreenALittleOutOfFocusIsRefused(t *testing.T) {
	t.Parallel()
	c := check(t, litEngine(t, face.LightWhenAvailable), "p02")
	o := run(t, c, changed{newFollower(live(t, "p02")), func(b []byte) []byte { return gaussian(t, b, 1.3) }})
	if o.Accepted || o.Reason != face.ReasonPoorQuality || o.report.Resolved || !passed(o.report, "instructions_followed") || passed(o.report, "no_screen") {
		t.Errorf("%+v, %d surfaces, %+v", o.Decision, o.report.Surfaces, o.report.Signals)
	}
}

// Out of focus a screen shows no grid: nothing that moves on it counts, and one that
// blurs once the check has begun leaves the signal unmeasured.
func TestAScreenOutOfFocusIsRefused(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	blurred := func(b []byte) []byte { return blur(t, b, 3) }
	o := run(t, check(t, e, "p02"), changed{newFollower(s), blurred})
	if o.Accepted || o.Reason != face.ReasonPoorQuality || o.hints[face.HintTooBlurred] == 0 {
		t.Errorf("always: %+v, hints %v", o.Decision, o.hints)
	}
	o = run(t, check(t, e, "p02"), &once{camera: newFollower(s), other: changed{newFollower(s), blurred}, from: 8, to: 1000})
	if o.Accepted || passed(o.report, "no_screen") || o.report.Blurred == 0 {
		t.Errorf("later: %+v, %d surfaces, %d frames out of focus", o.Decision, o.report.Surfaces, o.report.Blurred)
	}
}

// The limit of focus lies between soft cameras and screens that the lens blurs
// enough to hide their grid, for everybody.
func TestDefocusOfRenderedPeople(t *testing.T) {
	t.Parallel()
	e := engine(t)
	const limit = 2
	var people []string
	for _, p := range livePeople(t) {
		if p[len(p)-1]%2 == 1 { // the limit was chosen by these
			people = append(people, p)
		}
	}
	for _, v := range []struct {
		name      string
		f         func([]byte) []byte
		low, high float32
	}{
		{"sharp", func(b []byte) []byte { return b }, 0, limit},
		{"sigma 0.8", func(b []byte) []byte { return gaussian(t, b, .8) }, 0, limit},
		{"sigma 1.2", func(b []byte) []byte { return gaussian(t, b, 1.2) }, 0, limit},
		{"sigma 1.6", func(b []byte) []byte { return gaussian(t, b, 1.6) }, 0, 9},
		{"sigma 2.0", func(b []byte) []byte { return gaussian(t, b, 2) }, 0, 9},
		{"sigma 2.5", func(b []byte) []byte { return gaussian(t, b, 2.5) }, 0, 9},
		{"sigma 3.2", func(b []byte) []byte { return gaussian(t, b, 3.2) }, limit, 9},
		{"320 x 240 drawn out, quality 60", func(b []byte) []byte { return drawnOut(t, b) }, 0, limit},
	} {
		low, high, over := float32(9), float32(0), 0
		for _, p := range some(people, 1) {
			m, err := e.Measure(t.Context(), v.f(live(t, p).jpeg[2]), false)
			if err != nil {
				t.Fatal(err)
			}
			low, high = min(low, m.Defocus), max(high, m.Defocus)
			if m.Defocus > limit {
				over++
			}
		}
		t.Logf("%s: %.2f to %.2f, %d out of focus", v.name, low, high, over)
		if low < v.low || high > v.high {
			t.Errorf("%s: %.2f to %.2f, want %.1f to %.1f", v.name, low, high, v.low, v.high)
		}
	}
}
