package face

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// The page lights the face: it fills the area around the picture with colours in
// an order that the server draws, one at a time, and the face must reflect them.
// A recording made before reflects another order, or none.
const (
	lightColours = 6                      // of a sequence
	lightLead    = 700 * time.Millisecond // of white before the first
	lightSlot    = 600 * time.Millisecond // each: 1.7 changes a second, WCAG 2.3.1 allows three flashes
	lightTail    = 500 * time.Millisecond // of the last, for what is under way
	lightLongest = 15 * time.Second       // of the whole step, however slowly frames come
	lightFrames  = 128                    // kept measures of a step
)

// white is shown before the colours; palette holds these. All but white are
// equally far from it, none is a saturated red: with linear light R/(R+G+B) stays
// below 0.8 (WCAG 2.2, red flash).
const white = "#ffffff"

const paletteSize = 6

func palette() [paletteSize]lightColour {
	return [6]lightColour{{255, 112, 112}, {255, 255, 64}, {64, 255, 64}, {64, 255, 255}, {64, 64, 255}, {255, 64, 255}}
}

// lightColour is a colour of the screen, sRGB.
type lightColour [3]uint8

func (c lightColour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// chroma is a point of the plane in which colours are compared: red over green
// and blue over green, logarithms, so that a gain of the camera's white balance
// is a shift and the skin's own colour another.
type chroma struct{ r, b float64 }

func (a chroma) plus(b chroma, k float64) chroma { return chroma{a.r + k*b.r, a.b + k*b.b} }
func (a chroma) dot(b chroma) float64            { return a.r*b.r + a.b*b.b }

// adds is the direction in which a colour's light moves what it falls on, to
// first order: its own share against the green's.
func (c lightColour) adds() chroma {
	linear := linearTable()
	r, g, b := linear[c[0]], linear[c[1]], linear[c[2]]
	return chroma{r - g, b - g}
}

// lightStep is a run's sequence and what the face did.
type lightStep struct {
	code  [lightColours]uint8 // indices of the palette, neighbours differ
	given time.Duration
	told  [lightColours]time.Duration // when the page was told each colour
	next  int                         // colours told so far
	past  bool                        // told holds when the colours of a recorded run were shown

	at    [lightFrames]time.Duration
	face  [lightFrames]chroma // over the background's
	parts [lightFrames]skinColours
	count int
	blind int // frames whose light could not be measured
}

// draw takes a sequence at random, each as likely as any other.
func (l *lightStep) draw(random io.Reader) error {
	for i := range l.code {
		choices := paletteSize
		if i > 0 {
			choices-- // not the same again
		}
		v, err := below(random, choices)
		if err != nil {
			return err
		}
		if i > 0 && v >= int(l.code[i-1]) {
			v++
		}
		l.code[i] = uint8(v)
	}
	return nil
}

// Shown is a colour that the page of a recorded run showed, "#rrggbb", and when, since
// the first frame.
type Shown struct {
	Colour string
	At     time.Duration
}

// LightColours lists the colours of the light; white comes before them.
func LightColours() []string {
	var list []string
	for _, c := range palette() {
		list = append(list, c.String())
	}
	return list
}

// replay takes the sequence of a recorded run: white perhaps, then lightColours of
// LightColours, no two in a row the same. Without times (paced) it is shown as a
// live check shows it.
func (l *lightStep) replay(shown []Shown, paced bool) error {
	l.given = -1
	if len(shown) > 0 && shown[0].Colour == white {
		l.given = shown[0].At
		shown = shown[1:]
	}
	if len(shown) != lightColours {
		return fmt.Errorf("%w: it shows %d colours, not %d", ErrChallenge, len(shown), lightColours)
	}
	known := LightColours()
	last := l.given
	for i, s := range shown {
		c := slices.Index(known, strings.ToLower(s.Colour))
		switch {
		case c < 0 || i > 0 && c == int(l.code[i-1]):
			return fmt.Errorf("%w: colour %d is unknown, or the one before it", ErrChallenge, i+1)
		case !paced && s.At <= last:
			return fmt.Errorf("%w: the times of the colours do not advance", ErrChallenge)
		}
		l.code[i], l.told[i], last = uint8(c), s.At, s.At
	}
	l.past = !paced
	if l.given < 0 {
		l.given = max(shown[0].At-lightLead, 0)
	}
	return nil
}

// colour moves the sequence on and returns what the page shows from now on, and
// whether the step is over. A colour lasts at least its time: where frames are
// late the sequence waits for them.
func (l *lightStep) colour(now time.Duration) (hex string, over bool) {
	if now-l.given >= lightLongest {
		return "", true
	}
	for l.past && l.next < lightColours && now >= l.told[l.next] {
		l.next++
	}
	due := l.given + lightLead
	if l.next > 0 {
		due = l.told[l.next-1] + lightSlot
	}
	switch {
	case l.next == lightColours:
		return l.shown(), now >= due+lightTail
	case !l.past && now >= due:
		l.told[l.next] = now
		l.next++
	}
	return l.shown(), false
}

func (l *lightStep) shown() string {
	if l.next == 0 {
		return white
	}
	return palette()[l.code[l.next-1]].String()
}

// add keeps what a frame shows, if it could be measured.
func (l *lightStep) add(at time.Duration, c skinColours, ok bool) {
	if !ok || l.count == lightFrames {
		l.blind++
		return
	}
	l.at[l.count], l.face[l.count], l.parts[l.count] = at, c.middle(), c
	l.count++
}

// skinParts are the regions of skin that are measured.
const skinParts = 4

// skinColours are the colours of the regions over the background's.
type skinColours struct {
	of    [skinParts]chroma
	seen  [skinParts]bool
	pairs [lightPairs]lightPair
}

// middle is the median over the regions that were seen.
func (s *skinColours) middle() chroma {
	var r, b [skinParts]float64
	n := 0
	for i, ok := range s.seen {
		if ok {
			r[n], b[n] = s.of[i].r, s.of[i].b
			n++
		}
	}
	if n == 0 {
		return chroma{}
	}
	slices.Sort(r[:n])
	slices.Sort(b[:n])
	return chroma{(r[(n-1)/2] + r[n/2]) / 2, (b[(n-1)/2] + b[n/2]) / 2}
}

// Points of the skin: forehead, both cheeks, chin.
func skinRegions() [skinParts][]int {
	return [skinParts][]int{
		{10, 109, 338, 67, 297, 151, 9, 108, 337},
		{50, 101, 36, 205, 187, 118},
		{280, 330, 266, 425, 411, 347},
		{152, 175, 199, 200, 148, 377},
	}
}

// Bounds of what may be measured: a sample near either end says little of light.
const (
	lightDark     = 10  // of 255
	lightBright   = 247 // of 255
	regionPoints  = 12  // usable samples that a region of the skin needs
	surroundsNeed = 60  // usable samples that the background needs
)

// reflection measures the colour of the skin over that of the background. What
// the camera does to the whole picture, its white balance and exposure, is in
// both and falls out.
func (p *picture) reflection(m *mesh, linear *[256]float64) (c skinColours, ok bool) {
	if p.monoTone {
		return c, false
	}
	around, ok := p.surrounds(m, linear)
	if !ok {
		return c, false
	}
	c.pairs = p.pairs(m, linear)
	seen := 0
	for part, region := range skinRegions() {
		var s colourSum
		for i, a := range region {
			for _, b := range region[i+1:] {
				for k := 1; k < 4; k++ {
					t := float32(k) / 4
					s.add(p, m.points[a].x*(1-t)+m.points[b].x*t, m.points[a].y*(1-t)+m.points[b].y*t, linear)
				}
			}
		}
		if v, ok := s.chroma(regionPoints); ok {
			c.of[part], c.seen[part] = v.plus(around, -1), true
			seen++
		}
	}
	return c, seen >= 3 // of four: hair, a hand, a shadow may cover one
}

// surrounds measures what lies beside and above the head, and not the shoulders.
func (p *picture) surrounds(m *mesh, linear *[256]float64) (chroma, bool) {
	left, right, top, bottom := m.bounds()
	w, h := right-left, bottom-top
	var s colourSum
	for row := range 24 {
		y := (float32(row) + .5) * float32(p.h) / 24
		if y > bottom-.15*h {
			break
		}
		for col := range 32 {
			x := (float32(col) + .5) * float32(p.w) / 32
			if x > left-.5*w && x < right+.5*w && y > top-.75*h {
				continue
			}
			s.add(p, x, y, linear)
		}
	}
	return s.chroma(surroundsNeed)
}

func (m *mesh) bounds() (left, right, top, bottom float32) {
	left, top = m.points[0].x, m.points[0].y
	right, bottom = left, top
	for _, q := range m.points {
		left, right = min(left, q.x), max(right, q.x)
		top, bottom = min(top, q.y), max(bottom, q.y)
	}
	return left, right, top, bottom
}

// colourSum is a mean of linear light.
type colourSum struct {
	r, g, b float64
	n       int
}

// add takes the mean of 3 x 3 pixels around a point inside the picture.
func (s *colourSum) add(p *picture, x, y float32, linear *[256]float64) {
	cx, cy := int(x), int(y)
	if cx < 1 || cy < 1 || cx >= p.w-1 || cy >= p.h-1 {
		return
	}
	luma := 0
	for _, o := range [3]int{(cy-1)*p.w + cx, cy*p.w + cx, (cy+1)*p.w + cx} {
		luma += int(p.y[o-1]) + int(p.y[o]) + int(p.y[o+1])
	}
	c := (cy>>p.sy)*p.cw + cx>>p.sx
	v, cb, cr := float32(luma)/9, float32(int(p.cb[c])-128), float32(int(p.cr[c])-128)
	r, g, b := v+1.402*cr, v-.344136*cb-.714136*cr, v+1.772*cb // ITU-T T.871 §7
	if min(r, g, b) < lightDark || max(r, g, b) > lightBright {
		return
	}
	s.r, s.g, s.b, s.n = s.r+between(linear, r), s.g+between(linear, g), s.b+between(linear, b), s.n+1
}

func between(linear *[256]float64, v float32) float64 {
	i := int(v)
	f := float64(v) - float64(i)
	return linear[i]*(1-f) + linear[i+1]*f
}

func (s *colourSum) chroma(need int) (chroma, bool) {
	if s.n < need || s.g <= 0 || s.r <= 0 || s.b <= 0 {
		return chroma{}, false
	}
	return chroma{math.Log(s.r / s.g), math.Log(s.b / s.g)}, true
}

// linearTable is the transfer function of sRGB (IEC 61966-2-1).
func linearTable() (t [256]float64) {
	for i := range t {
		v := float64(i) / 255
		if v <= .04045 {
			t[i] = v / 12.92
		} else {
			t[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return t
}
