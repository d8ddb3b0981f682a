package face

import "slices"

// Limits of what a face's surface and its surroundings look like.
const (
	surfaceSamples = 32
	surfaceNeeded  = 3
	surfaceShare   = 3   // one frame in so many: of faces three in four are resolved, of screens out of focus at most one in seven
	gridLimit      = 30  // gridStrength: screens 45 and more, faces under 25
	rainbowLimit   = 1.4 // rainbow: screens 1.8 and more, rooms under 0.8
	// Up to so much blur of the sharpest edges a grid can be seen: it lets 6 % of a wave
	// of two pixels through, exp(-2 (pi .75/2)^2), the shortest that a sensor has, and
	// that much of a display's pixels is about what reaches gridLimit.
	resolvedBelow = .75
)

// surface collects the measures of a screen over a run, of frames that are in focus.
type surface struct {
	grid, rainbow [surfaceSamples]float32
	resolved      [surfaceSamples]bool // sharp enough for a grid to be seen
	count         int
}

func (s *surface) take(k *worker, o *observation) {
	if s.count == surfaceSamples || o.defocus > blurredAbove {
		return
	}
	s.grid[s.count] = k.picture.gridStrength(&o.mesh, &k.gridWindow)
	s.rainbow[s.count] = k.picture.rainbow(&k.moire)
	s.resolved[s.count] = o.sharpest <= resolvedBelow
	s.count++
}

// looks is what the surface looks like.
type looks struct {
	grid, rainbow float32 // medians
	samples       int
	// measured: enough frames, and at least a third, in which a grid could be seen. Noise
	// makes a blurred frame now and then look sharp. The medians are over those frames,
	// else over all.
	measured bool
}

func (s *surface) looks() looks {
	var g, r [surfaceSamples]float32
	n := 0
	for i := range s.count {
		if s.resolved[i] {
			n++
		}
	}
	l := looks{samples: s.count, measured: n >= surfaceNeeded && surfaceShare*n >= s.count}
	n = 0
	for i := range s.count {
		if s.resolved[i] || !l.measured {
			g[n], r[n] = s.grid[i], s.rainbow[i]
			n++
		}
	}
	if n > 0 {
		slices.Sort(g[:n])
		slices.Sort(r[:n])
		l.grid, l.rainbow = g[n/2], r[n/2]
	}
	return l
}

// screen says that the surface looks like a screen, or a print's raster: by either
// measure, or by both together.
func (l looks) screen() bool {
	g, r := l.grid/gridLimit, l.rainbow/rainbowLimit
	return g*g+r*r >= 1
}
