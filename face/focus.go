package face

import (
	"math"
	"time"

	"ipse/face/internal/kernel"
)

// How far out of focus a frame is, after Zhuo and Sim, "Defocus map estimation from
// a single image" (Pattern Recognition 44(9), 2011): an edge that a lens has
// blurred with a Gaussian of sigma s has, blurred again with a and with b, slopes
// whose ratio R depends on s alone, whatever the edge's contrast:
// R*R = (s*s + b*b) / (s*s + a*a). They take a = 0; some blur before the first
// slope keeps the noise of a sensor and of JPEG out of it.
const (
	focusFirst  = .85 // a, pixels
	focusSecond = 1.8 // b, pixels
	focusMargin = 5   // beyond the window, of both blurs and the slope
	focusSide   = 64  // largest window, pixels
	focusWidth  = .5  // of the window around an eye and its brow, over the eye distance
	focusRise   = .08 // of the window's centre over the eye's, over the eye distance
	focusEdges  = .1  // share of the window's points that count as edges: the strongest
	focusSlope  = 2   // least slope of an edge, levels a pixel: below, there is none to see
	focusFine   = 4   // bins of a level in the tally of slopes
	focusRank   = 3   // the edge at a third, sharpest first, decides: a shadow is softer than the lens
	focusBest   = 8   // the edge at an eighth: lashes and lids are then hardly softer than the lens, whoever's they are
	focusBins   = 160 // of focusStep each
	focusStep   = .05 // pixels
	focusPer    = 640 // the measure holds for pictures of so many pixels on their longer side
	focusSmall  = 427 // up to so many, a picture is drawn out to twice the size: lashes and lids lie too close for the blurs
)

// Limits of focus.
const (
	blurredAbove = 2                      // defocus, pixels
	blurredFor   = 500 * time.Millisecond // a lens stays out of focus; a blink and a movement are over sooner
)

// focused is when a frame was last seen to be in focus, or could not be judged.
type focused struct {
	at   time.Duration
	ever bool
}

// focus judges whether the camera is in focus. A face that moves, or does something,
// may blur or lose its edges (lids cover the iris); one that is calm and has not
// been sharp for a while is out of focus, and moves nothing. Before anything was
// sharp, nothing counts.
func (c *Check) focus() {
	o := &c.frame
	if !o.found || o.blocked {
		return
	}
	busy := c.report.StepsDone > 0 && !c.calm()
	if o.defocus <= blurredAbove || busy {
		c.focused = focused{at: c.now, ever: true}
		return
	}
	if !c.focused.ever || c.now-c.focused.at > blurredFor {
		o.hint, o.blocked = HintTooBlurred, true
		c.report.Blurred++
	}
}

// Sizes of the measure's scratch memory.
const (
	focusMost   = focusSide + 2*focusMargin // side of the largest window with its margins
	focusRadius = kernel.Taps / 2           // of a blur
)

// focusWindow is the scratch memory of the measure.
type focusWindow struct {
	first, second [focusMost * focusMost]float32 // the window after either blur
	slope         [focusSide * focusSide]float32
	line          [focusMost + 2*focusRadius]float32
	rows          [(focusMost + 2*focusRadius) * focusMost]float32
	slopes        [256]int
	sigmas        [focusBins]int
}

func (f *focusWindow) wipe() { *f = focusWindow{} }

// defocus estimates the blur of the eyes' edges: the sigma of a Gaussian in pixels
// of a picture of 640 pixels on its longer side, of the strongest tenth of the edges of
// eyes and brows. usual is that at a third of them, sharpest first, best that at an
// eighth. The greatest value when there are no edges.
func (p *picture) defocus(m *mesh, f *focusWindow) (usual, best float32) {
	clear(f.sigmas[:])
	times := 1
	if max(p.w, p.h) <= focusSmall {
		times = 2
	}
	span := m.eyeDistance() * float32(times)
	side := min(int(focusWidth*span), focusSide)
	if side < 8 || times*min(p.w, p.h) < focusSide+2*focusMargin {
		return focusBins * focusStep, focusBins * focusStep
	}
	for _, eye := range [2][2]int{{ptOuterEyeL, ptInnerEyeL}, {ptInnerEyeR, ptOuterEyeR}} {
		a, b := m.points[eye[0]], m.points[eye[1]]
		x, y := float32(times)*(a.x+b.x)/2, float32(times)*(a.y+b.y)/2
		f.measure(p, times, int(x)-side/2, int(y-focusRise*span)-side/2, side)
	}
	scale := focusPer / float32(times*max(p.w, p.h))
	return f.at(focusRank, scale), f.at(focusBest, scale)
}

// at is the sigma of the edge at a share of one in rank, sharpest first.
func (f *focusWindow) at(rank int, scale float32) float32 {
	total := 0
	for _, n := range f.sigmas {
		total += n
	}
	below := total / rank
	for i, n := range f.sigmas {
		if below -= n; below < 0 {
			return (float32(i) + .5) * focusStep * scale
		}
	}
	return focusBins * focusStep
}

// measure adds the sigmas of the edges in a window of the picture, drawn out so many
// times, to the tally.
func (f *focusWindow) measure(p *picture, times, x0, y0, side int) {
	n := side + 2*focusMargin
	x0, y0 = min(max(x0-focusMargin, 0), times*p.w-n), min(max(y0-focusMargin, 0), times*p.h-n)
	for y := range n {
		for x := range n {
			if times == 1 {
				f.first[y*n+x] = float32(p.y[(y0+y)*p.w+x0+x])
				continue
			}
			u, v := ((2*(x0+x)+1)*one/times-one)/2, ((2*(y0+y)+1)*one/times-one)/2
			f.first[y*n+x] = float32(bilinear(p.y, p.w, p.h, u, v)) / one
		}
	}
	f.blur(f.first[:n*n], f.first[:n*n], n, focusFirst)
	f.blur(f.second[:n*n], f.first[:n*n], n, math.Sqrt(focusSecond*focusSecond-focusFirst*focusFirst))
	clear(f.slopes[:])
	for y := range side {
		from := f.first[(y+focusMargin-1)*n+focusMargin-1:]
		for x := range side {
			dx, dy := from[n+x+2]-from[n+x], from[2*n+x+1]-from[x+1]
			slope := float32(math.Sqrt(float64(dx*dx+dy*dy))) / 2
			f.slope[y*side+x] = slope
			f.slopes[min(int(focusFine*slope), 255)]++
		}
	}
	least := max(percentile(&f.slopes, int((1-focusEdges)*float32(side*side)))/focusFine, focusSlope)
	for i, slope := range f.slope[:side*side] {
		if slope >= least {
			ratio := f.ratio((i/side+focusMargin)*n+i%side+focusMargin, n)
			f.sigmas[min(int(sigmaOf(ratio)/focusStep), focusBins-1)]++
		}
	}
}

// ratio is the slope at a point after the first blur over that after the second,
// along the second's direction, so that noise, which has none, adds less to it.
func (f *focusWindow) ratio(i, n int) float32 {
	ax, ay := f.first[i+1]-f.first[i-1], f.first[i+n]-f.first[i-n]
	bx, by := f.second[i+1]-f.second[i-1], f.second[i+n]-f.second[i-n]
	return (ax*bx + ay*by) / max(bx*bx+by*by, 1e-3)
}

// sigmaOf is the blur at an edge whose slopes have the ratio r.
func sigmaOf(r float32) float32 {
	const a, b = focusFirst * focusFirst, focusSecond * focusSecond
	over, under := b-r*r*a, r*r-1
	if under <= 1e-4 {
		return focusBins * focusStep
	}
	return float32(math.Sqrt(float64(max(over, 0) / under)))
}

// blur convolves an n x n window with a Gaussian; what lies outside counts as the
// nearest edge. dst may be src.
func (f *focusWindow) blur(dst, src []float32, n int, sigma float64) {
	const radius = focusRadius
	var taps [kernel.Taps]float32
	var sum float32
	for i := range taps {
		taps[i] = float32(math.Exp(-float64((i-radius)*(i-radius)) / (2 * sigma * sigma)))
		sum += taps[i]
	}
	for i := range taps {
		taps[i] /= sum
	}
	rows := f.rows[:(n+2*radius)*n]
	line := f.line[:n+2*radius]
	for y := range n {
		copy(line[radius:], src[y*n:(y+1)*n])
		for i := range radius {
			line[i], line[n+radius+i] = line[radius], line[n+radius-1]
		}
		kernel.Convolve(rows[(y+radius)*n:][:n], line, 1, &taps)
	}
	for i := range radius {
		copy(rows[i*n:(i+1)*n], rows[radius*n:])
		copy(rows[(n+radius+i)*n:][:n], rows[(n+radius-1)*n:])
	}
	kernel.Convolve(dst[:n*n], rows, n, &taps)
}
