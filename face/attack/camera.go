package attack

import (
	"bytes"
	"math"
	"time"
)

// optics are the physical properties of a camera and of the light that it stands
// in, in the order in which light passes them. The zero value is a camera that
// changes nothing; every stage that is zero is left out and costs nothing.
type optics struct {
	width, height int // of the sensor's picture; 0: the recording's

	// The light of the scene.
	room     float64 // light over that of the recording; 0 counts as 1
	steps    float64 // lamps and clouds: how far the light steps now and then, in stops
	mains    float64 // frequency of the flicker, Hz: twice that of the mains
	ripple   float64 // its depth, 0..1: LED lamps .1 to 1 (IEEE 1789-2015)
	exposure float64 // of a row, seconds: a flicker averages over it
	readout  float64 // from the first row to the last, seconds: a rolling shutter
	lamp     rgb     // its colour, a factor a channel; 0 counts as 1
	side     float64 // light on the darker half of the face over the lighter's; 0: even
	behind   float64 // light of what is behind the person over that on the face; 0: as recorded
	glare    float64 // of glasses: opacity of the reflection before the eyes

	// The lens.
	barrel  float64 // radial distortion k1 over half the diagonal (Brown 1971)
	corners float64 // light that is lost in the corners, 0..1
	blur    float64 // out of focus, sigma in pixels
	hunt    float64 // more of it, while the autofocus searches

	// The sensor: photons and read noise in electrons (EMVA 1288, linear model).
	electrons float64 // of white, at the exposure of the recording's brightness; 0: no noise
	read      float64 // noise of reading, electrons
	uneven    float64 // fixed pattern: deviation of the pixels' gain and of the columns
	hot       int     // bright pixels
	mosaic    bool    // Bayer pattern, one colour a pixel; else pixels are binned

	// The processor.
	maxGain  float64 // of the exposure control; 0: it keeps still
	aeStep   float64 // its greatest change a frame, in stops
	aeLag    int     // frames before it reacts
	awb      float64 // share of the white balance's error that is taken out each frame
	local    float64 // local tone mapping: 0 none, 1 all regions equally bright
	temporal float64 // recursive noise filter: share of the past where nothing moves
	coring   int     // sixteenths of a level below which a change is taken for noise and dropped
	smooth   int     // spatial noise filter: levels up to which neighbours are averaged
	passes   int     // of it
	sharpen  float64 // unsharp mask

	// The stream from camera to browser, and the page.
	block   int // quality of its compression, JPEG's scale; 0: none
	skip    int // levels below which a macroblock is not sent again (H.264's P_Skip)
	refresh int // frames between whole pictures
	quality int // of the page's JPEG
}

// camera films one presentation.
type camera struct {
	optics
	r     *Random
	noise *table

	w, h    int
	shade   []uint16 // light a pixel, 1/4096: side, behind, corners and the pattern of the sensor
	columns []int32  // offset of the columns
	hotAt   []int
	warpX   []int32 // lens: where a pixel comes from, 1/4096
	warpY   []int32

	lin    []int32 // three a pixel
	toLin  [3][256]int32
	sigma  [linWhite>>sigmaShift + 1]int32
	curve  [curveSize]byte
	gain   float64
	wb     [3]float64
	target float64
	aim    rgb
	wait   int
	level  float64 // of the room, which steps
	stepAt time.Duration

	past    []int16 // of the recursive filter, sixteenths of a level
	sent    picture // what the stream's receiver shows
	scratch picture
	shot    picture
	coded   bytes.Buffer
	frames  int
	huntAt  time.Duration
	phase   float64
	begun   bool
}

const (
	linWhite   = 1<<14 - 1
	linHead    = 4 // headroom of the sensor's numbers over white, before the curve
	sigmaShift = 5
	curveShift = 2
	curveSize  = linWhite>>curveShift + 1
)

func newCamera(o optics, r *Random, n *table) *camera {
	c := &camera{optics: o, r: r, noise: n, gain: 1, level: 1, wb: [3]float64{1, 1, 1}, phase: r.Float(0, 1)}
	if c.quality == 0 {
		c.quality = pageQuality
	}
	if c.room == 0 {
		c.room = 1
	}
	for k := range c.lamp {
		if c.lamp[k] == 0 {
			c.lamp[k] = 1
		}
	}
	c.stepAt, c.huntAt = seconds(r.Float(2, 5)), seconds(r.Float(1.5, 5))
	for i := range c.curve {
		c.curve[i] = byte(math.Round(255 * gammaOf(float64(i)/(curveSize-1))))
	}
	return c
}

// pageQuality is what web/src/face/capture.ts asks of the browser, in Go's scale.
const pageQuality = 85

// film turns what stands before the camera into the picture that the browser has.
// face is where the person is, eyes visible in this frame for glare.
func (c *camera) film(p *picture, at time.Duration, face Anchor) error {
	c.prepare(p, face)
	c.change(at)
	if c.warpX != nil {
		c.scratch.remap(p, c.warpX, c.warpY)
		p.copyFrom(&c.scratch)
	}
	if s := c.outOfFocus(at); s > 0 {
		p.blur(s, &c.scratch)
	}
	c.fit(p)
	c.expose(p, at)
	c.develop(p)
	c.meter(p)
	c.denoise(p)
	c.frames++
	return c.send(p)
}

// prepare sizes and draws what stays the same over the run.
func (c *camera) prepare(p *picture, face Anchor) {
	if c.begun {
		return
	}
	c.begun = true
	if c.barrel != 0 {
		c.warpX, c.warpY = lensMap(p.w, p.h, c.barrel)
	}
	scale := 1.
	c.w, c.h = p.w, p.h
	if c.width > 0 {
		scale = float64(c.width) / float64(p.w)
		c.w, c.h = c.width, c.height
		face = face.framed(1, 1, 1, Point{0, min(float64(p.w*c.height/c.width-p.h)/2, 0)})
	}
	n := c.w * c.h
	c.lin = make([]int32, 3*n)
	c.shading(face, scale)
	c.columns = make([]int32, c.w)
	for x := range c.columns {
		c.columns[x] = int32(c.uneven * c.r.Normal() * linWhite / 8)
	}
	for range c.hot {
		c.hotAt = append(c.hotAt, c.r.Int(n))
	}
	c.aim = p.mean()
	c.target = c.aim.luma()
	c.settle(p)
}

// settle is the exposure control before the first picture that the page takes: a
// camera is on for a second or two before.
func (c *camera) settle(p *picture) {
	if c.maxGain == 0 {
		c.tables()
		return
	}
	for range 12 {
		c.tables()
		c.shot.copyFrom(p)
		c.fit(&c.shot)
		c.expose(&c.shot, 0)
		c.develop(&c.shot)
		m := c.shot.mean().luma()
		if math.Abs(m-c.target) < 2 {
			break
		}
		c.gain = min(c.gain*math.Pow(c.target/max(m, 1), 1.6), c.maxGain)
	}
	c.tables()
}

// tables holds what depends on the light and on the gain: numbers of the sensor
// for levels, and its noise. Linear light, white at linWhite.
func (c *camera) tables() {
	light := c.room * c.level * c.gain
	for k := range c.toLin {
		for i := range 256 {
			c.toLin[k][i] = int32(min(linearOf(float64(i)/255)*light*c.lamp[k], linHead) * linWhite)
		}
	}
	if c.electrons <= 0 {
		return
	}
	full := c.electrons / c.gain // electrons that white is made of, at this gain
	for i := range c.sigma {
		signal := float64(i<<sigmaShift) / linWhite * full
		c.sigma[i] = int32(math.Sqrt(signal+c.read*c.read) / full * linWhite)
	}
}

// fit crops a picture to the sensor's shape and reduces it to its pixels.
func (c *camera) fit(p *picture) {
	if c.width == 0 || (c.width == p.w && c.height == p.h) {
		return
	}
	if high := p.w * c.height / c.width; high < p.h {
		top := 4 * p.w * ((p.h - high) / 2)
		copy(p.pix, p.pix[top:top+4*p.w*high])
		p.reset(p.w, high)
	}
	if c.width != p.w {
		c.scratch.shrunk(p, c.width, c.height)
		p.copyFrom(&c.scratch)
	}
}

// change lets the room's light step, as a lamp, a cloud or another window of the screen does.
func (c *camera) change(at time.Duration) {
	if c.steps == 0 || at < c.stepAt {
		return
	}
	c.stepAt = at + seconds(c.r.Float(1, 4))
	c.level = math.Exp2(c.r.Float(-c.steps, c.steps))
	c.tables()
}

// outOfFocus is the blur of the moment. An autofocus that searches goes through
// its range within some half a second (contrast detection), and then holds.
func (c *camera) outOfFocus(at time.Duration) float64 {
	if c.hunt == 0 || at < c.huntAt {
		return c.blur
	}
	const long = .6
	t := (at - c.huntAt).Seconds() / long
	if t > 1 {
		c.huntAt = at + seconds(c.r.Float(2, 6))
		return c.blur
	}
	return c.blur + c.hunt*math.Sin(math.Pi*t)
}

// meter is exposure control and white balance: what this picture shows changes
// the next. Within a band they hold, or pictures would pump.
func (c *camera) meter(p *picture) {
	if c.maxGain == 0 && c.awb == 0 {
		return
	}
	m := p.mean()
	if c.awb > 0 {
		for k := range c.wb {
			want := c.wb[k] * (c.aim[k] / c.aim[1]) / max(m[k]/max(m[1], 1), .05)
			c.wb[k] *= math.Pow(want/c.wb[k], 2.2*c.awb)
		}
	}
	if c.maxGain == 0 {
		return
	}
	off := 2.2 * math.Log2(c.target/max(m.luma(), 1)) // stops, roughly: the curve's gamma
	if math.Abs(off) < .2 {
		c.wait = 0
		return
	}
	if c.wait++; c.wait <= c.aeLag {
		return
	}
	before := c.gain
	c.gain = min(c.gain*math.Exp2(min(max(off/2, -c.aeStep), c.aeStep)), c.maxGain)
	if c.gain != before {
		c.tables()
	}
}

// wipe overwrites the pictures held.
func (c *camera) wipe() {
	for _, q := range []*picture{&c.sent, &c.scratch, &c.shot} {
		clear(q.pix[:cap(q.pix)])
	}
	clear(c.lin)
	clear(c.past)
	b := c.coded.Bytes()
	clear(b[:cap(b)])
}

func (c rgb) luma() float64 { return .299*c[0] + .587*c[1] + .114*c[2] }

// mean of every eighth pixel of every eighth row.
func (p *picture) mean() (m rgb) {
	n := 0.
	for y := 4; y < p.h; y += 8 {
		for x := 4; x < p.w; x += 8 {
			o := 4 * (y*p.w + x)
			m[0] += float64(p.pix[o])
			m[1] += float64(p.pix[o+1])
			m[2] += float64(p.pix[o+2])
			n++
		}
	}
	for k := range m {
		m[k] /= max(n, 1)
	}
	return m
}

// linearOf and gammaOf are the transfer function of sRGB (IEC 61966-2-1), 0..1.
func linearOf(v float64) float64 {
	if v <= .04045 {
		return v / 12.92
	}
	return math.Pow((v+.055)/1.055, 2.4)
}

func gammaOf(v float64) float64 {
	if v <= .0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - .055
}
