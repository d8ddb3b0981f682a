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
			v, best := p.defocus(m, &f)
			if best > v {
				t.Errorf("sigma %.1f: the sharpest edges are at %.2f, others at %.2f", sigma, best, v)
			}
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
	if v, _ := (&picture{w: 640, h: 480, y: make([]byte, 640*480)}).defocus(head(0, 70), &f); v <= blurredAbove {
		t.Errorf("a picture without edges is sharp: %.2f", v)
	}
	if v, _ := (&picture{w: 60, h: 60, y: make([]byte, 3600)}).defocus(head(0, 70), &f); v <= blurredAbove {
		t.Errorf("a picture smaller than the window is sharp: %.2f", v)
	}
}

func TestDefocusAllocatesNothing(t *testing.T) {
	p, m := edges(1, 60)
	f := &focusWindow{}
	if n := testing.AllocsPerRun(50, func() { p.defocus(m, f) }); n != 0 {
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

// A grid is looked for in frames in which one could be seen: most of the run's, and
// three at least. Without them the signal is not measured, and fails for the quality
// of the picture; light that follows stands in, and hides no grid that is seen.
func TestASurfaceIsMeasuredWhereAGridCouldBeSeen(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		sharp, soft   int
		grid, rainbow float32
		light         LightOutcome
		passed        bool
		reason        Reason
	}{
		"sharp and plain":           {5, 0, 9, .5, LightNotAvailable, true, ""},
		"sharp, a grid":             {5, 0, 99, .5, LightNotAvailable, false, ReasonNotLive},
		"a little of both":          {5, 0, 25, 1, LightNotAvailable, false, ReasonNotLive},
		"a third of them sharp":     {3, 6, 9, .5, LightNotAvailable, true, ""},
		"too few":                   {2, 0, 9, .5, LightNotAvailable, false, ReasonPoorQuality},
		"now and then sharp":        {3, 7, 9, .5, LightNotAvailable, false, ReasonPoorQuality},
		"soft":                      {0, 9, 9, .5, LightNotAvailable, false, ReasonPoorQuality},
		"soft, in the page's light": {0, 9, 9, .5, LightFollows, true, ""},
		"soft, in another light":    {0, 9, 9, .5, LightContradicts, false, ReasonPoorQuality},
		"soft, a grid":              {0, 9, 99, .5, LightFollows, false, ReasonNotLive},
		"nothing, in the light":     {0, 0, 0, 0, LightFollows, true, ""},
		"nothing":                   {0, 0, 0, 0, LightNotAvailable, false, ReasonPoorQuality},
	} {
		c := &Check{}
		c.report.Light.Outcome = v.light
		for i := range v.sharp + v.soft {
			c.surface.grid[i], c.surface.rainbow[i], c.surface.resolved[i] = v.grid, v.rainbow, i < v.sharp
			c.surface.count++
		}
		if s := c.screenSignal(); s.passed != v.passed || (!s.passed && s.reason != v.reason) || (s.note == "by light") != (v.passed && v.light == LightFollows) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	var s surface
	s.take(nil, &observation{defocus: blurredAbove + .1})
	if s.count != 0 {
		t.Error("a frame out of focus counts")
	}
}

// Frames of half the size are measured as the same view in full size.
func TestDefocusOfSmallPictures(t *testing.T) {
	t.Parallel()
	var f focusWindow
	for _, sigma := range []float64{1.2, 1.6, 2.4} { // of 640 pixels
		full, m := edges(sigma, 60)
		small := &picture{w: full.w / 2, h: full.h / 2, y: make([]byte, full.w*full.h/4)}
		for i := range small.y {
			o := i/small.w*2*full.w + i%small.w*2
			small.y[i] = byte((int(full.y[o]) + int(full.y[o+1]) + int(full.y[o+full.w]) + int(full.y[o+full.w+1]) + 2) / 4)
		}
		half := *m
		for i := range half.points {
			half.points[i].x, half.points[i].y = m.points[i].x/2, m.points[i].y/2
		}
		// Two pixels in one, and what draws them out again, blur too.
		want := math.Sqrt(sigma*sigma + .6)
		if v, _ := small.defocus(&half, &f); math.Abs(float64(v)-want) > .35+.1*want {
			t.Errorf("sigma %.1f: %.2f, want about %.2f", sigma, v, want)
		}
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
