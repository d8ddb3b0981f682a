package face

import "slices"

// Limits of what a face's surface and its surroundings look like.
const (
	surfaceSamples = 32
	surfaceNeeded  = 3
	gridLimit      = 30  // gridStrength: screens 45 and more, faces under 25
	rainbowLimit   = 1.4 // rainbow: screens 1.8 and more, rooms under 0.8
)

// surface collects the measures of a screen over a run, of frames that are sharp
// enough for its grid to be seen.
type surface struct {
	grid, rainbow [surfaceSamples]float32
	count         int
}

func (s *surface) take(k *worker, o *observation) {
	if s.count == surfaceSamples || o.defocus > blurredAbove {
		return
	}
	s.grid[s.count] = k.picture.gridStrength(&o.mesh, &k.gridWindow)
	s.rainbow[s.count] = k.picture.rainbow(&k.moire)
	s.count++
}

func (s *surface) medians() (grid, rainbow float32, count int) {
	if s.count == 0 {
		return 0, 0, 0
	}
	g, r := s.grid, s.rainbow
	slices.Sort(g[:s.count])
	slices.Sort(r[:s.count])
	return g[s.count/2], r[s.count/2], s.count
}

// plain says that nothing looks like a screen or a print's raster. Too few
// samples fail, for the quality of the picture.
func (s *surface) plain() (passed bool, reason Reason) {
	g, r, n := s.medians()
	if n < surfaceNeeded {
		return false, ReasonPoorQuality
	}
	return g < gridLimit && r < rainbowLimit, ReasonNotLive
}
