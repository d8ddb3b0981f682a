package face

import (
	"math"
	"testing"
	"time"
)

// edges is a picture with bright lids and dark bars at a head's eyes, blurred by a
// Gaussian of sigma pixels.
func edges(sigma, contrast float64) (*picture, *mesh) {
	m := head(0, 70)
	m.points[ptInnerEyeL], m.points[ptInnerEyeR] = point3{305, 200, 0}, point3{335, 200, 0}
	p := scene(func(x, _ int) (luma, cb, cr float64) {
		phase := math.Mod(float64(x)+.5, 40) // an edge every 20 pixels
		v := math.Erf((phase-10)/(sigma*math.Sqrt2)) - math.Erf((phase-30)/(sigma*math.Sqrt2)) - 1
		return 120 + contrast*v, 128, 128
	})
	return p, m
}

// The blur of an edge is measured whatever the edge's contrast.
func TestDefocusOfKnownEdges(t *testing.T) {
	t.Parallel()
	var f focusWindow
	last := float32(-1)
	for _, sigma := range []float64{.8, 1.2, 1.6, 2, 2.5, 3.2} {
		for _, contrast := range []float64{80, 40} {
			p, m := edges(sigma, contrast)
			v := p.defocus(m, &f)
			if math.Abs(float64(v)-sigma) > .35+.1*sigma {
				t.Errorf("sigma %.1f, contrast %.0f: %.2f", sigma, contrast, v)
			}
			if contrast == 80 {
				if v <= last {
					t.Errorf("sigma %.1f is not seen to be greater: %.2f after %.2f", sigma, v, last)
				}
				last = v
			}
		}
	}
	if v := (&picture{w: 640, h: 480, y: make([]byte, 640*480)}).defocus(head(0, 70), &f); v <= blurredAbove {
		t.Errorf("a picture without edges is sharp: %.2f", v)
	}
	if v := (&picture{w: 60, h: 60, y: make([]byte, 3600)}).defocus(head(0, 70), &f); v <= blurredAbove {
		t.Errorf("a picture smaller than the window is sharp: %.2f", v)
	}
}

func TestDefocusAllocatesNothing(t *testing.T) {
	p, m := edges(1, 60)
	f := &focusWindow{}
	if n := testing.AllocsPerRun(10, func() { p.defocus(m, f) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
	f.wipe()
	if *f != (focusWindow{}) {
		t.Error("pixels stay in the window")
	}
}

// Only a face that stays calm and blurred is out of focus: a movement and a blink
// blur for a moment.
func TestWhatIsOutOfFocus(t *testing.T) {
	t.Parallel()
	const sharp, soft = 1, 3
	calm := observation{found: true, mouth: .5, eyes: -1, defocus: sharp}
	blurred, turned := calm, calm
	blurred.defocus, turned.defocus = soft, soft
	turned.pose.yaw = 25
	for name, v := range map[string]struct {
		steps  int
		frames []observation
		want   int // frames out of focus
	}{
		"never sharp":        {0, []observation{blurred, blurred, blurred}, 3},
		"sharp":              {3, []observation{calm, calm, calm}, 0},
		"a blink":            {3, []observation{calm, blurred, blurred, blurred, calm}, 0},
		"a turn":             {3, []observation{calm, turned, turned, turned, turned, turned, turned, turned, turned, blurred, calm}, 0},
		"focus that is lost": {3, []observation{calm, blurred, blurred, blurred, blurred, blurred, blurred, blurred}, 2},
	} {
		c := &Check{neutral: neutral{mouth: .5}}
		c.report.StepsDone = v.steps
		for i, o := range v.frames {
			c.frame, c.now = o, time.Duration(i)*tick
			c.focus()
			if c.frame.blocked != (c.frame.hint == HintTooBlurred) {
				t.Errorf("%s: frame %d: hint %q, blocked %v", name, i, c.frame.hint, c.frame.blocked)
			}
		}
		if c.report.Blurred != v.want {
			t.Errorf("%s: %d frames out of focus, want %d", name, c.report.Blurred, v.want)
		}
	}
}

// A surface that was never sharp is not measured, and fails for its quality.
func TestBlurredSurfacesAreNotMeasured(t *testing.T) {
	t.Parallel()
	var s surface
	for range 2 * surfaceNeeded {
		s.take(nil, &observation{defocus: blurredAbove + .1})
	}
	if passed, reason := s.plain(); passed || reason != ReasonPoorQuality || s.count != 0 {
		t.Errorf("%v %s after %d samples", passed, reason, s.count)
	}
	s.count = surfaceNeeded
	if passed, _ := s.plain(); !passed {
		t.Error("a plain surface fails")
	}
	s.grid = [surfaceSamples]float32{99, 99, 99}
	if passed, reason := s.plain(); passed || reason != ReasonNotLive {
		t.Errorf("a grid: %v %s", passed, reason)
	}
}

// Where a moustache or teeth hide the inner lips, the lower lip's drop shows the
// open mouth; a face that looks down drops its chin in the mesh, and opens nothing.
func TestAnOpenMouthShowsInTheJaw(t *testing.T) {
	t.Parallel()
	n := neutral{mouth: .55, lips: .03, drop: .37}
	hidden := observation{mouth: .54, lips: .05, drop: .37 + 1.4*lipsApart, eyes: -1}
	if v := n.change(&hidden, pose{}).amount(ActionOpenMouth); v < 1.3 {
		t.Errorf("hidden lips: %.2f", v)
	}
	hidden.pose.pitch = -13
	if v := n.change(&hidden, pose{}).amount(ActionOpenMouth); v > relaxed {
		t.Errorf("looking down: %.2f", v)
	}
	smile := observation{mouth: .55 * 1.25, lips: .08, drop: .42, eyes: -1}
	c := n.change(&smile, pose{})
	if c.amount(ActionSmile) < 1 || c.amount(ActionOpenMouth) != 0 {
		t.Errorf("a smile: %+v", c)
	}
	speech := observation{mouth: .55, lips: .055, drop: .39, eyes: -1}
	if v := n.change(&speech, pose{}).amount(ActionOpenMouth); v >= 1 {
		t.Errorf("speech: %.2f", v)
	}
}
