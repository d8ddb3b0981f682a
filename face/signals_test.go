package face

import (
	"math"
	"testing"
)

// head is a mesh of points on half an ellipsoid, seen turned by degrees of yaw.
func head(yaw float64, depth float32) *mesh {
	m := &mesh{}
	sin, cos := math.Sincos(yaw * math.Pi / 180)
	for i := range m.points {
		// A spiral covers the half ellipsoid evenly enough.
		r := math.Sqrt(float64(i) / meshPoints)
		a := 2.4 * float64(i)
		x, y := 80*r*math.Cos(a), 100*r*math.Sin(a)
		z := -float64(depth) * math.Sqrt(1-r*r*.98)
		m.points[i] = point3{float32(320 + x*cos + z*sin), float32(240 + y), float32(-x*sin + z*cos)}
	}
	m.points[ptOuterEyeL], m.points[ptOuterEyeR] = point3{275, 200, 0}, point3{365, 200, 0}
	return m
}

// A plane that turns leaves no residual, a head does, and more when it turns more.
func TestFlatness(t *testing.T) {
	t.Parallel()
	if f := flatness(head(0, 0), head(30, 0)); f > .8 {
		t.Errorf("a plane: %.2f", f)
	}
	small, large := flatness(head(0, 70), head(12, 70)), flatness(head(0, 70), head(30, 70))
	if small < 1.5 || large < 2*small {
		t.Errorf("a head: %.2f at 12 degrees, %.2f at 30", small, large)
	}
	if f := flatness(head(0, 70), head(0, 70)); f > .01 {
		t.Errorf("the same mesh: %.3f", f)
	}
	if f := flatness(&mesh{}, &mesh{}); f != 0 {
		t.Errorf("no mesh: %.3f", f)
	}
}

// scene is a picture of smooth shades with some noise, painted over by f.
func scene(f func(x, y int) (luma, cb, cr float64)) *picture {
	p := &picture{}
	p.reset(640, 480, 1, 1)
	noise := uint32(1)
	next := func() float64 {
		noise = noise*1664525 + 1013904223
		return float64(noise>>16)/65536*6 - 3
	}
	for y := range p.h {
		for x := range p.w {
			l, cb, cr := f(x, y)
			p.y[y*p.w+x] = byte(l + next())
			if x%2 == 0 && y%2 == 0 {
				p.cb[y/2*p.cw+x/2], p.cr[y/2*p.cw+x/2] = byte(cb+next()), byte(cr+next())
			}
		}
	}
	return p
}

func shade(x, y int) (luma, cb, cr float64) {
	return 120 + 50*math.Sin(float64(x)/70) + 20*math.Cos(float64(y)/55), 118 + 6*math.Sin(float64(x+y)/200), 140 + 5*math.Cos(float64(y)/150)
}

// The grid of a screen shows whatever its period and direction; a face's own
// shades, noise and JPEG's blocks do not.
func TestGridStrength(t *testing.T) {
	t.Parallel()
	m, g := head(0, 70), &gridWindow{}
	plain := scene(shade).gridStrength(m, g)
	if plain > gridLimit/2 {
		t.Errorf("a plain face: %.1f", plain)
	}
	blocks := scene(func(x, y int) (float64, float64, float64) {
		l, cb, cr := shade(x, y)
		if x%8 == 0 || y%8 == 0 {
			l += 3
		}
		return l, cb, cr
	}).gridStrength(m, g)
	if blocks > gridLimit {
		t.Errorf("blocks of JPEG: %.1f", blocks)
	}
	for _, side := range []string{"columns", "rows"} {
		worn := scene(func(x, y int) (float64, float64, float64) {
			l, cb, cr := shade(x, y)
			k := x
			if side == "rows" {
				k = y
			}
			return l + 6*float64(uint32(k)*2654435761>>24)/255, cb, cr
		}).gridStrength(m, g)
		if worn > gridLimit/2 {
			t.Errorf("a sensor whose %s differ: %.1f", side, worn)
		}
	}
	for _, period := range []float64{2.9, 3.6, 5.3, 7.1} {
		for _, angle := range []float64{0, .3, 1.2} {
			sin, cos := math.Sincos(angle)
			v := scene(func(x, y int) (float64, float64, float64) {
				l, cb, cr := shade(x, y)
				return l + 3*math.Sin(2*math.Pi*(float64(x)*cos+float64(y)*sin)/period), cb, cr
			}).gridStrength(m, g)
			if v < 2*gridLimit {
				t.Errorf("a grid of period %.1f at %.1f rad: %.1f", period, angle, v)
			}
		}
	}
	if v := (&picture{w: 100, h: 100, y: make([]byte, 10000)}).gridStrength(m, g); v != 0 {
		t.Errorf("a picture smaller than the window: %.1f", v)
	}
}

// Bands in which the hue turns are a screen's; coloured stripes and objects,
// whose colours mix along a line, are not.
func TestRainbow(t *testing.T) {
	t.Parallel()
	var s moireScratch
	wave := func(period, phase float64, amplitude float64) func(x, y int) (float64, float64, float64) {
		return func(x, y int) (float64, float64, float64) {
			l, cb, cr := shade(x, y)
			a := 2 * math.Pi * (float64(x) + .5*float64(y)) / period
			return l, cb + amplitude*math.Sin(a), cr + amplitude*math.Sin(a+phase)
		}
	}
	if v := scene(shade).rainbow(&s); v > rainbowLimit/2 {
		t.Errorf("a plain room: %.2f", v)
	}
	if v := scene(wave(30, 0, 12)).rainbow(&s); v > rainbowLimit {
		t.Errorf("stripes of two colours: %.2f", v)
	}
	for _, period := range []float64{20, 26, 32, 40} {
		if v := scene(wave(period, 2.1, 8)).rainbow(&s); v < rainbowLimit {
			t.Errorf("bands of period %.0f: %.2f", period, v)
		}
	}
	grey := scene(shade)
	grey.monoTone = true
	if grey.rainbow(&s) != 0 {
		t.Error("a grey picture has colours")
	}
}

func TestStreamCountsRepeats(t *testing.T) {
	t.Parallel()
	var s stream
	for i, frame := range []string{"a", "a", "b", "a"} {
		if got, want := s.arrives([]byte(frame), tick, 0), i == 1; got != want {
			t.Errorf("frame %d repeated: %v", i, got)
		}
	}
	if s.repeats != 1 || s.backward != 3 {
		t.Errorf("%d repeats, %d times the clock stood still", s.repeats, s.backward)
	}
}
