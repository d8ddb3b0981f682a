package attack

import (
	"fmt"
	"math"
)

// scene is a background with a sheet before it. The picture shown is the skin's.
type scene struct {
	room  *picture
	sheet sheet
	shown *picture
	skin  skin
	place func(*scene, shot)
}

// paint implements painter.
func (c *scene) paint(dst, src *picture, s shot) error {
	dst.copyFrom(c.room)
	c.shown.w, c.shown.h, c.shown.pix = src.w, src.h, src.pix
	c.sheet.pose = s.pose
	if c.place != nil {
		c.place(c, s)
	}
	c.sheet.draw(dst, c.skin)
	return nil
}

func (b *builder) scene(width, height float64) *scene {
	c := &scene{room: newPicture(640, 480), shown: &picture{}}
	c.room.room(b.r)
	c.sheet = sheet{z: 1, x: b.r.Float(-.03, .03), y: b.r.Float(-.02, .02), halfWidth: width / 2, halfHigh: height / 2}
	return c
}

// filmed gives a sheet the camera that films it.
func (b *builder) filmed() {
	b.p.rate, b.p.jitter = b.r.Float(8, 14), b.r.Float(0, .15)
	b.p.sigma, b.p.quality = b.r.Float(.8, 2.5), 70+b.r.Int(23)
}

func (b *builder) print() error {
	high := b.r.Float(.8, .98)
	c := b.scene(high*.8, high)
	b.paper(c)
	return b.held(c)
}

func (b *builder) bentPrint() error {
	high := b.r.Float(.8, .98)
	c := b.scene(high*.8, high)
	c.sheet.bend = 1 / (high * .8 * b.r.Float(.6, 1.6))
	if b.set.Variant%4 == 3 {
		c.sheet.bend = -c.sheet.bend
	}
	b.paper(c)
	if err := b.held(c); err != nil {
		return err
	}
	b.p.Detail += fmt.Sprintf(", radius %.2f widths", 1/(c.sheet.bend*2*c.sheet.halfWidth))
	return nil
}

func (b *builder) paper(c *scene) {
	r := b.r
	k := &paper{image: c.shown, halfWidth: c.sheet.halfWidth, halfUp: c.sheet.halfHigh, border: r.Float(0, .04), contrast: r.Float(.72, .95), lift: r.Float(4, 24), fibre: newTable(r)}
	if r.Chance(.5) {
		k.raster, k.pitch = r.Float(2, 9), r.Float(.003, .009)
	}
	if r.Chance(.5) {
		k.gloss, k.glossAt = r.Float(20, 90), Point{r.Float(-.2, .2), r.Float(-.3, 0)}
	}
	c.skin = k
}

// held moves a sheet that shows the portrait: at rest, at rest and tilted, or as
// the instructions ask, by a little and by much.
func (b *builder) held(c *scene) error {
	r := b.r
	portrait := still(b.set.Subject.Person, b.set.Portrait, nil)
	m := &mover{of: portrait, delay: seconds(r.Float(.3, .9)), shown: -1, shake: r.Float(.3, 2)}
	for i := range m.sway {
		m.sway[i] = newDrift(r)
	}
	switch b.set.Variant % 4 {
	case 0, 3:
		m.amount, b.p.Detail = r.Float(30, 48), "turned by much"
	case 1:
		m.amount, b.p.Detail = r.Float(18, 30), "turned by a little"
	case 2:
		m.rest = Pose{r.Float(-12, 12), r.Float(-10, 10), r.Float(-6, 6)}
		b.p.Detail = "held"
	}
	b.p.script, b.p.painter = m, c
	b.filmed()
	return nil
}

func (b *builder) screenStill() error {
	c := b.screen()
	if d, ok := c.skin.(*display); ok && b.set.Variant%2 == 0 {
		d.halfWidth, d.columns = d.halfUp*.8, d.columns*.6 // the portrait's shape; black beside it
		return b.held(c)
	}
	m := &mover{of: b.set.Subject, frame: b.r.Int(b.set.Subject.idle()), amount: b.r.Float(20, 40), delay: seconds(.5), shown: -1, shake: b.r.Float(.3, 1.5)}
	for i := range m.sway {
		m.sway[i] = newDrift(b.r)
	}
	b.p.script, b.p.painter = m, c
	b.filmed()
	b.p.Detail = "one frame, turned"
	return nil
}

func (b *builder) screenVideo() error {
	c := b.screen()
	s := &carried{script: follow(b.set.Subject, b.r), rest: Pose{b.r.Float(-8, 8), b.r.Float(-8, 8), b.r.Float(-4, 4)}, shake: b.r.Float(.1, 1)}
	for i := range s.sway {
		s.sway[i] = newDrift(b.r)
	}
	b.p.script, b.p.painter = s, c
	b.filmed()
	d, _ := c.skin.(*display)
	b.p.Detail = fmt.Sprintf("%.2f display pixels in a camera pixel, grid %.2f", d.pitch(), d.contrast)
	return nil
}

// screen is a display that fills most of the view. The pitch of its pixels goes
// from coarse (a monitor nearby) to fine (a telephone) with the variant.
func (b *builder) screen() *scene {
	r := b.r
	width := r.Float(.95, 1.15)
	c := b.scene(width+.08, width*.75+.08)
	pitch := []float64{.62, 1.35, .9, 2.2}[b.set.Variant%4] * r.Float(.9, 1.1)
	// What the lens lets through of the grid falls with its fineness.
	grid := r.Float(.15, .5) / (1 + pitch*pitch)
	d := &display{image: c.shown, halfWidth: width / 2, halfUp: width * .375, contrast: grid, gamma: r.Float(.85, 1.15),
		tint: rgb{r.Float(.88, 1), 1, r.Float(1, 1.12)}, lift: r.Float(4, 22), step: 1. / 640}
	d.columns = pitch * 640 * width
	d.rows = d.columns * .75
	if r.Chance(.6) {
		d.gloss, d.glossAt = r.Float(20, 110), Point{r.Float(-.4, .4), r.Float(-.3, 0)}
	}
	if r.Chance(.4) {
		d.band, d.bandHigh = r.Float(.04, .2), r.Float(.3, 1)
	}
	c.skin = d
	d.prepare()
	c.place = func(_ *scene, _ shot) { d.phase += .37 }
	return c
}

func (b *builder) injectedStill() error {
	r, p := b.r, b.p
	frame := r.Int(b.set.Subject.idle())
	p.script = &player{of: b.set.Subject, list: []int{frame}, speed: 1, loop: true}
	p.Detail = "noise"
	p.sigma = r.Float(.5, 3)
	switch b.set.Variant % 4 {
	case 1:
		p.flicker, p.Detail, p.quality = r.Float(.01, .06), "brightness and recompression", 40+r.Int(50)
	case 2:
		p.swayBy, p.Detail = Point{r.Float(1, 5), r.Float(.3, 1.5)}, "small movements"
	case 3: // a puppet: the whole frame turned in space as the instructions ask
		m := &mover{of: b.set.Subject, frame: frame, amount: r.Float(25, 40), delay: seconds(r.Float(.3, .8)), shown: -1, shake: .4}
		for i := range m.sway {
			m.sway[i] = newDrift(r)
		}
		c := b.scene(1.25, .94)
		c.skin = &plainSkin{c.shown, c.sheet.halfWidth, c.sheet.halfHigh}
		p.script, p.painter, p.Detail = m, c, "turned in space"
	}
	return nil
}

// plainSkin is a picture as it is.
type plainSkin struct {
	image             *picture
	halfWidth, halfUp float64
}

// at implements skin.
func (k *plainSkin) at(s, v float64) (rgb, float64) {
	return k.image.at((s/k.halfWidth+1)/2*float64(k.image.w-1), (v/k.halfUp+1)/2*float64(k.image.h-1)), 1
}

// worn puts a mask before the wearer's face in every frame.
type worn struct {
	sheet sheet
	mask  *mask
	ratio float64 // mask's eye distance over the wearer's, when both look ahead
	ahead float64 // the wearer's eye distance looking ahead, pixels
}

// paint implements painter.
func (m *worn) paint(dst, src *picture, s shot) error {
	dst.copyFrom(src)
	a, err := s.of.Anchor(s.frame)
	if err != nil {
		return err
	}
	if s.frame < len(s.of.Poses) {
		m.sheet.pose = s.of.Poses[s.frame]
	}
	// The mask stands a little before the face: it moves further than the eyes do.
	x, y := (a.EyeL.X+a.EyeR.X)/2*.58+a.Mouth.X*.42, (a.EyeL.Y+a.EyeR.Y)/2*.58+a.Mouth.Y*.42
	w := float64(dst.w)
	m.sheet.x, m.sheet.y = (x-w/2)/w, (y-float64(dst.h)/2)/w
	m.mask.scale = w * m.mask.eye / (m.ahead * m.ratio)
	m.sheet.draw(dst, m.mask)
	return nil
}

func (b *builder) cutMask() error {
	if b.set.PortraitAnchor == nil || b.set.Other.Anchor == nil || len(b.set.Other.Poses) < b.set.Other.Frames {
		return ErrRecording
	}
	at, err := b.set.PortraitAnchor()
	if err != nil {
		return err
	}
	ahead, err := b.set.Other.Anchor(0)
	if err != nil {
		return err
	}
	portrait := &picture{}
	if err := portrait.decode(b.set.Portrait); err != nil {
		return err
	}
	k := &mask{paper: portrait, eyes: [2]Point{at.EyeL, at.EyeR}, eye: math.Hypot(at.EyeR.X-at.EyeL.X, at.EyeR.Y-at.EyeL.Y), ink: b.r.Float(.8, .95)}
	k.mid = Point{(at.EyeL.X+at.EyeR.X)/2*.58 + at.Mouth.X*.42, (at.EyeL.Y+at.EyeR.Y)/2*.58 + at.Mouth.Y*.42}
	w := &worn{mask: k, ratio: b.r.Float(1, 1.12), ahead: math.Hypot(ahead.EyeR.X-ahead.EyeL.X, ahead.EyeR.Y-ahead.EyeL.Y)}
	w.sheet = sheet{z: 1, halfWidth: .4, halfHigh: .4}
	b.p.Detail = "flat"
	if b.set.Variant%3 != 0 { // around the head: a radius of about the head's own, or more
		face := w.ahead * w.ratio / 640 * 2.2 // its width
		w.sheet.bend = 1 / (face * b.r.Float(.55, 1.3))
		b.p.Detail = fmt.Sprintf("curved, radius %.2f face widths", 1/(w.sheet.bend*face))
	}
	b.p.script, b.p.painter = follow(b.set.Other, b.r), w
	b.p.sigma, b.p.rate = b.r.Float(.5, 2), b.r.Float(8, 14)
	return nil
}

// beside shows a second face, at a size, next to the first.
type beside struct {
	other *Recording
	size  float64 // of its area over the first's
	right bool
	every int // shown in every n-th stretch of ten frames; 1 always
	count int
	pic   picture
}

// paint implements painter.
func (p *beside) paint(dst, src *picture, s shot) error {
	dst.copyFrom(src)
	if p.count++; (p.count/10)%p.every != 0 {
		return nil
	}
	first, err := s.of.Anchor(s.frame)
	if err != nil {
		return err
	}
	frame := p.other.waiting(p.count)
	if err := open(&p.pic, p.other, frame); err != nil {
		return err
	}
	second, err := p.other.Anchor(frame)
	if err != nil {
		return err
	}
	e1, e2 := math.Hypot(first.EyeR.X-first.EyeL.X, first.EyeR.Y-first.EyeL.Y), math.Hypot(second.EyeR.X-second.EyeL.X, second.EyeR.Y-second.EyeL.Y)
	k := e1 / max(e2, 1) * math.Sqrt(p.size) // scale of the second picture
	rx, ry := 1.35*e2*k, 1.75*e2*k
	cx, cy := float64(dst.w)-rx*.95, float64(dst.h)*.45
	if !p.right {
		cx = rx * .95
	}
	mx, my := (second.EyeL.X+second.EyeR.X+second.Mouth.X)/3, (second.EyeL.Y+second.EyeR.Y+second.Mouth.Y)/3
	for y := max(int(cy-ry), 0); y < min(int(cy+ry), dst.h); y++ {
		for x := max(int(cx-rx), 0); x < min(int(cx+rx), dst.w); x++ {
			u, v := (float64(x)-cx)/rx, (float64(y)-cy)/ry
			if d := u*u + v*v; d < 1 {
				dst.over(x, y, p.pic.at(mx+(float64(x)-cx)/k, my+(float64(y)-cy)/k), min((1-d)*6, 1))
			}
		}
	}
	return nil
}

func (b *builder) twoPeople() error {
	if b.set.Subject.Anchor == nil || b.set.Other.Anchor == nil {
		return ErrRecording
	}
	b.camera()
	b.p.scale, b.p.shift = 1, Point{}
	k := &beside{other: b.set.Other, size: []float64{1, .6, .4, .3}[b.set.Variant%4] * b.r.Float(.95, 1.1), right: b.r.Chance(.5), every: 1}
	b.p.Detail = fmt.Sprintf("%.0f %% of the area", 100*k.size)
	if b.set.Variant%8 >= 4 {
		k.every = 3
		b.p.Detail += ", every third second"
	}
	b.p.script, b.p.painter = follow(b.set.Subject, b.r), k
	return nil
}

// concealed is another person, or a screen that plays what is asked.
func (b *builder) concealed() error {
	if b.set.Variant%2 == 0 {
		return b.anotherPerson()
	}
	b.set.Variant /= 2
	return b.screenVideo()
}

func (b *builder) overBright() error {
	gain := []float64{1.5, 1.5, 2, 2, 2.8, 2.8}[b.set.Variant%6] * b.r.Float(.95, 1.05)
	if err := b.concealed(); err != nil {
		return err
	}
	b.p.tone = newTone(gain, 1, .9, 0)
	b.p.Detail = fmt.Sprintf("gain %.1f, %s", gain, b.p.Detail)
	return nil
}

func (b *builder) blurred() error {
	sigma := []float64{1.2, 1.2, 2, 2, 3.5, 3.5}[b.set.Variant%6] * b.r.Float(.9, 1.1)
	if err := b.concealed(); err != nil {
		return err
	}
	b.soften(sigma)
	return nil
}

// unresolved is a screen that plays what is asked, its grid lost to a little blur.
func (b *builder) unresolved() error {
	if err := b.screenVideo(); err != nil {
		return err
	}
	b.soften(b.r.Float(.4, .8))
	return nil
}

// soften puts the lens out of focus; a display's grid is blurred before it is sampled.
func (b *builder) soften(sigma float64) {
	b.p.blur = sigma
	if c, ok := b.p.painter.(*scene); ok {
		if d, ok := c.skin.(*display); ok {
			d.defocus(sigma)
		}
	}
	b.p.Detail = fmt.Sprintf("blur %.1f pixels, %s", sigma, b.p.Detail)
}
