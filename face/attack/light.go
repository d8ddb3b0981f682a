package attack

import (
	"math"
	"time"
)

// The page lights whatever stands before the camera. A room gives some light too,
// the camera answers to the sum of both.

// lamp is the page's light on a presentation.
type lamp struct {
	gain   float64       // of the page's white over the room's light, on what faces the page
	wall   float64       // the background's share of it: the square of the distances' ratio
	late   time.Duration // from telling the page to the frame that shows it
	meter  meter         // the camera's answer; none to a dye, which no camera sees
	glass  glass
	told   []telling
	dither uint32
	cells  []reflected
	linear [256]float64
	curve  [curveSteps + 1]float64
}

// curveSteps is how finely linear light is turned back into levels.
const curveSteps = 16384

// telling is a colour, linear light, and when the page was told.
type telling struct {
	at     time.Duration
	colour rgb
	own    bool // the page's own again
}

// glass is the front of a display that is held before the page: it shines itself
// and returns next to nothing, but may mirror the page.
type glass struct {
	haze       float64 // scattered, of the display's own white
	mirror     float64 // of the page's image, the same unit
	wide, high float64 // the page's, in widths of the picture at distance 1
}

// newLamp draws a room (25 to 2,500 lux), a screen (8 to 90 lux of white on the face:
// a telephone at arm's length up to a large monitor nearby, of which the page fills
// six tenths), the wall's distance (1.5 to 6 times the face's), the line's delay, and
// the camera's control of exposure and white balance.
func newLamp(r *Random) *lamp {
	lux := logFloat(r, 8, 90)
	l := &lamp{gain: lux / logFloat(r, 25, 2500), late: seconds(logFloat(r, .06, .4)), dither: uint32(r.next())}
	far := r.Float(1.5, 6)
	l.wall = 1 / (far * far)
	l.meter = meter{exposure: r.Float(.5, 1), quick: r.Float(.1, .5), balance: r.Float(0, .8), slow: logFloat(r, .3, 3)}
	// A display scatters .3 to 2 % of what falls on it, and shines with 150 to 400 cd/m2.
	l.glass = glass{haze: r.Float(.003, .02) * lux / math.Pi / r.Float(150, 400)}
	// A third of the displays are glossy: 4 % of what they mirror, less with a coating.
	if r.Chance(1. / 3) {
		l.glass.mirror = Pick(r, .04, .015) * r.Float(.5, 1.5)
	}
	page := Pick(r, Point{.26, .55}, Point{.66, .42}) // a telephone at 0.3 m, a laptop at 0.5 m
	l.glass.wide, l.glass.high = page.X, page.Y
	l.tables()
	return l
}

// newDye is the light that software computes into the face: in step, evenly, on
// nothing else.
func newDye(r *Random) *lamp {
	l := &lamp{gain: r.Float(.05, .4), late: seconds(r.Float(.06, .3)), dither: uint32(r.next())}
	l.tables()
	return l
}

func logFloat(r *Random, low, high float64) float64 {
	return math.Exp(r.Float(math.Log(low), math.Log(high)))
}

// tables are the transfer function of sRGB (IEC 61966-2-1) and its inverse.
func (l *lamp) tables() {
	for i := range l.linear {
		if v := float64(i) / 255; v <= .04045 {
			l.linear[i] = v / 12.92
		} else {
			l.linear[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	for i := range l.curve {
		if v := float64(i) / curveSteps; v <= .0031308 {
			l.curve[i] = 255 * 12.92 * v
		} else {
			l.curve[i] = 255 * (1.055*math.Pow(v, 1/2.4) - .055)
		}
	}
}

// tell notes what the page shows from now on: "#rrggbb", or "" for its own colours.
func (l *lamp) tell(at time.Duration, hex string) {
	t := telling{at: at, own: true}
	if len(hex) == 7 {
		t.own = false
		for k := range t.colour {
			t.colour[k] = l.linear[digit(hex[1+2*k])<<4|digit(hex[2+2*k])]
		}
	}
	l.told = append(l.told, t)
}

func digit(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c-'0') & 15
}

// shines is what the frame at a time shows of the page's colours.
func (l *lamp) shines(at time.Duration) (c rgb, ok bool) {
	for _, t := range l.told {
		if at >= t.at+l.late {
			c, ok = t.colour, !t.own
		}
	}
	return c, ok
}

// reflected is the page's light at a cell of the picture: times times what is there
// already, and plus beside it, for the page's white.
type reflected struct{ times, plus float64 }

// cell is the side of a cell in pixels: light is smooth.
const cell = 8

// light lights the picture; on is what stands before the camera.
func (l *lamp) light(p *picture, at time.Duration, on reflector) {
	c, ok := l.shines(at)
	if !ok {
		return
	}
	columns, rows := (p.w+cell-1)/cell, (p.h+cell-1)/cell
	if n := columns * rows; len(l.cells) < n {
		l.cells = make([]reflected, n)
	}
	for y := range rows {
		for x := range columns {
			l.cells[y*columns+x] = on.reflects(l, float64(x*cell)+cell/2, float64(y*cell)+cell/2)
		}
	}
	gains := l.meter.answer(l.brighter(p, columns, c), at)
	for y := range p.h {
		row := l.cells[y/cell*columns:]
		for x := range p.w {
			o, k := 4*(y*p.w+x), row[x/cell]
			for i := range 3 {
				v := (l.linear[p.pix[o+i]]*(1+k.times*c[i]) + k.plus*c[i]) * gains[i]
				l.dither = l.dither*1664525 + 1013904223
				p.pix[o+i] = byte(min(l.curve[int(min(v, 1)*curveSteps)]+float64(l.dither>>16)/65536, 255))
			}
		}
	}
}

// brighter is how much lighter the page makes the picture's mean, a channel.
func (l *lamp) brighter(p *picture, columns int, c rgb) rgb {
	var before, after rgb
	for y := cell / 2; y < p.h; y += cell {
		for x := cell / 2; x < p.w; x += cell {
			k := l.cells[y/cell*columns+x/cell]
			for i := range 3 {
				v := l.linear[p.pix[4*(y*p.w+x)+i]]
				before[i] += v
				after[i] += v*(1+k.times*c[i]) + k.plus*c[i]
			}
		}
	}
	for i := range after {
		after[i] /= max(before[i], 1e-6)
	}
	return after
}

// meter is a camera's control of exposure and white balance: both go towards a
// picture of the same mean, by a share and with a time constant each.
type meter struct {
	exposure, quick float64 // share 0..1, seconds
	balance, slow   float64
	began           bool
	last            time.Duration
	level           float64 // logarithm of the exposure's gain
	tint            rgb     // logarithms of the white balance's gains
}

// answer are the gains for a picture whose mean became brighter by a factor a channel.
func (m *meter) answer(brighter rgb, at time.Duration) rgb {
	step := (at - m.last).Seconds()
	if !m.began {
		m.began, step = true, 0
	}
	m.last = at
	luma := math.Log(.2126*brighter[0] + .7152*brighter[1] + .0722*brighter[2])
	m.level = towards(m.level, -m.exposure*luma, step, m.quick)
	gains := rgb{}
	for i := range gains {
		m.tint[i] = towards(m.tint[i], m.balance*math.Log(brighter[1]/brighter[i]), step, m.slow)
		gains[i] = math.Exp(m.level + m.tint[i])
	}
	return gains
}

// towards is a low-pass of the first order; a time constant of 0 stands still.
func towards(v, target, step, constant float64) float64 {
	if constant == 0 {
		return v
	}
	return target + (v-target)*math.Exp(-step/constant)
}

// reflector is what stands before the camera.
type reflector interface {
	reflects(l *lamp, x, y float64) reflected
}

// head is a person: an ellipsoid that faces the page, shoulders behind it, and a
// wall. Skin, hair, cloth and a mask of paper return what falls on them.
type head struct{ a Anchor }

// reflects implements reflector.
func (h head) reflects(l *lamp, x, y float64) reflected {
	e := math.Hypot(h.a.EyeR.X-h.a.EyeL.X, h.a.EyeR.Y-h.a.EyeL.Y)
	mx, my := (h.a.EyeL.X+h.a.EyeR.X)/2*.58+h.a.Mouth.X*.42, (h.a.EyeL.Y+h.a.EyeR.Y)/2*.58+h.a.Mouth.Y*.42
	u, v := (x-mx)/(1.4*e), (y-my)/(1.9*e)
	share := l.wall
	if v > .8 && math.Abs(x-mx) < 3*e { // shoulders: further away, and turned up
		share = max(share, .5)
	}
	if d := u*u + v*v; d < 1 {
		facing := math.Sqrt(1 - d)
		edge := min(facing*2.5, 1)
		share += edge * (max(facing, .2) - share)
	}
	return reflected{times: l.gain * share}
}

// dyed is a face that software colours, and nothing else.
type dyed struct{ a Anchor }

// reflects implements reflector.
func (h dyed) reflects(l *lamp, x, y float64) reflected {
	e := math.Hypot(h.a.EyeR.X-h.a.EyeL.X, h.a.EyeR.Y-h.a.EyeL.Y)
	mx, my := (h.a.EyeL.X+h.a.EyeR.X)/2*.58+h.a.Mouth.X*.42, (h.a.EyeL.Y+h.a.EyeR.Y)/2*.58+h.a.Mouth.Y*.42
	u, v := (x-mx)/(1.3*e), (y-my)/(1.75*e)
	return reflected{times: l.gain * min(max(1-u*u-v*v, 0)*4, 1)}
}

// reflects implements reflector: paper returns light as skin does, a display adds
// what its glass returns to what it shines.
func (c *scene) reflects(l *lamp, x, y float64) reflected {
	a := c.sheet.pose.axes()
	w, h := float64(c.room.w), float64(c.room.h)
	o := a.local([3]float64{-c.sheet.x, -c.sheet.y, -c.sheet.z * focal})
	d := a.local([3]float64{(x - w/2) / (focal * w), (y - h/2) / (focal * w), 1})
	s, v, ok := c.sheet.hit(o, d)
	if !ok || math.Abs(s) > c.sheet.halfWidth || math.Abs(v) > c.sheet.halfHigh {
		return reflected{times: l.gain * l.wall}
	}
	if _, shines := c.skin.(*display); !shines {
		return reflected{times: l.gain * max(a[2][2], 0)}
	}
	// The page stands around the camera, below it; its mirror image is twice as far.
	g := l.glass
	r := reflected{plus: g.haze}
	if math.Abs(s-o[0]) < g.wide/4 && v > o[1] && v < o[1]+g.high/2 {
		r.plus += g.mirror
	}
	return r
}

// Shine tells the page's colour from now on: "#rrggbb", or "" for the page's own, as
// face.Guidance has it. What is injected is not lit.
func (p *Presentation) Shine(hex string) {
	if p.lamp != nil {
		p.lamp.tell(p.heard, hex)
	}
}

// lit says how the page's light meets a species: people, paper and displays stand
// before the page; what is injected does not, unless software dyes it.
func (p *Presentation) lit(s Species, r *Random) {
	switch s {
	case BonaFide, AnotherPerson, TwoPeople, Swap, WrongOrder, CutMask, Print, BentPrint, ScreenStill, ScreenVideo, OverBright, Blurred, Unresolved:
		p.lamp = newLamp(r)
	case Relit:
		p.lamp, p.dyed = newDye(r), true
	case InjectedStill, EarlierRun, Looped, Crossfade, Interpolated, HardCut:
	}
}

// lighten lights the canvas by the page. A person whose face nobody finds is not lit.
func (p *Presentation) lighten(s shot) error {
	if p.lamp == nil || len(p.lamp.told) == 0 {
		return nil
	}
	if c, ok := p.painter.(*scene); ok {
		p.lamp.light(&p.canvas, p.at, c)
		return nil
	}
	if s.of.Anchor == nil {
		return nil
	}
	a, err := s.of.Anchor(s.frame)
	if err != nil {
		return err
	}
	if p.dyed {
		p.lamp.light(&p.canvas, p.at, dyed{a})
	} else {
		p.lamp.light(&p.canvas, p.at, head{a})
	}
	return nil
}
