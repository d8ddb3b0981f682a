package face

import (
	"math"
	"time"
)

// Skin, hair and eyes return a share of the light that falls on them: it changes what is
// dark and the bright skin beside it by the same ratio. Glass adds the page's mirror
// image to both alike: the ratio of the dark one changes more, by as much as it is
// darker. Two pairs are measured that the room lights alike, for shadows, too, follow
// more than what they shade: the brows and the skin over them, the eyes and the skin
// under them. Glasses mirror the page before the eyes, seldom before the brows.
const (
	pairContrast = 1.5 // least luminance of a pair's skin over what is dark, to tell the two apart
	pairPoints   = 6   // usable samples that either needs
	browAbove    = 1.3 // of the brow's thickness: how far over its upper edge the skin begins
	eyeBelow     = .3  // of the way from the lower lid to the first sample under it: the second
)

// lightPairs are those of the brows and of the eyes.
const lightPairs = 2

// lightPair is the colour of what is dark and of the skin beside it.
type lightPair struct {
	dark, skin chroma
	contrast   float64 // logarithm of the skin's luminance over the other's
	seen       bool
}

// browEdges are points of both brows: of the upper edge, of the lower edge.
func browEdges() [2][5][2]int {
	return [2][5][2]int{
		{{70, 46}, {63, 53}, {105, 52}, {66, 65}, {107, 55}},
		{{300, 276}, {293, 283}, {334, 282}, {296, 295}, {336, 285}},
	}
}

// eyeEdges are points of both eyes: of the upper lid, of the lower lid, of the skin below.
func eyeEdges() [2][3][3]int {
	return [2][3][3]int{
		{{160, 144, 230}, {159, 145, 230}, {158, 153, 231}},
		{{385, 380, 451}, {386, 374, 450}, {387, 373, 450}},
	}
}

// pairs measures the brows and the eyes.
func (p *picture) pairs(m *mesh, linear *[256]float64) (c [lightPairs]lightPair) {
	var brow, over, eye, under colourSum
	for _, edges := range browEdges() {
		for i := range 2*len(edges) - 1 { // the points, and halfway between
			top, bottom := m.middle(edges[i/2][0], edges[(i+1)/2][0]), m.middle(edges[i/2][1], edges[(i+1)/2][1])
			brow.addBetween(p, top, bottom, .5, linear)
			over.addBetween(p, top, bottom, -browAbove, linear)
		}
	}
	for _, edges := range eyeEdges() {
		for i := range 2*len(edges) - 1 {
			a, b := edges[i/2], edges[(i+1)/2]
			upper, lower, below := m.middle(a[0], b[0]), m.middle(a[1], b[1]), m.middle(a[2], b[2])
			eye.addBetween(p, upper, lower, .4, linear)
			under.addBetween(p, lower, below, 1, linear)
			under.addBetween(p, lower, below, 1+eyeBelow, linear)
		}
	}
	return [lightPairs]lightPair{pairOf(&brow, &over), pairOf(&eye, &under)}
}

// middle is the point halfway between two of the mesh.
func (m *mesh) middle(i, j int) [2]float32 {
	return [2]float32{(m.points[i].x + m.points[j].x) / 2, (m.points[i].y + m.points[j].y) / 2}
}

// addBetween adds the point at a share of the way from a to b, or beyond.
func (s *colourSum) addBetween(p *picture, a, b [2]float32, share float32, linear *[256]float64) {
	s.add(p, a[0]+share*(b[0]-a[0]), a[1]+share*(b[1]-a[1]), linear)
}

func pairOf(dark, skin *colourSum) (p lightPair) {
	var ok, also bool
	p.dark, ok = dark.chroma(pairPoints)
	p.skin, also = skin.chroma(pairPoints)
	if ok && also {
		p.contrast = math.Log(skin.g / float64(skin.n) * float64(dark.n) / dark.g)
		p.seen = true
	}
	return p
}

// glazed says that the light is added to what is there, as glass does: in every pair
// that tells, the ratio of what is dark follows the colours nearer to as much more as it
// is darker than as much as the skin's. Where none tells there is no saying it.
func (l *lightStep) glazed(delay time.Duration, gain float64, adds *[paletteSize]chroma) bool {
	told := false
	for pair := range lightPairs {
		excess, contrast, ok := l.excess(pair, delay, gain, adds)
		if !ok || contrast < math.Log(pairContrast) {
			continue
		}
		if excess <= math.Exp(contrast/2) {
			return false
		}
		told = true
	}
	return told
}

// excess is how much more what is dark follows than the skin, and the mean contrast.
func (l *lightStep) excess(pair int, delay time.Duration, gain float64, adds *[paletteSize]chroma) (excess, contrast float64, ok bool) {
	var at [lightFrames]time.Duration
	var dark, skin [lightFrames]chroma
	n := 0
	for i := range l.count {
		if p := l.parts[i].pairs[pair]; p.seen {
			at[n], dark[n], skin[n] = l.at[i], p.dark, p.skin
			contrast += p.contrast
			n++
		}
	}
	_, d, _, ok := l.own(delay, at[:n], dark[:n], adds)
	_, s, _, also := l.own(delay, at[:n], skin[:n], adds)
	return d / max(s, gain/2), contrast / float64(max(n, 1)), ok && also
}
