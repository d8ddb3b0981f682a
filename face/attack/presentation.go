package attack

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"ipse/face"
)

// Frame is one frame of a presentation.
type Frame struct {
	// JPEG bytes, valid until the next call of Next.
	JPEG []byte
	// At is the camera's time since the first frame, as the browser says.
	At time.Duration
	// Received is when it arrives, by the server's clock.
	Received time.Duration
}

// Setting is what a presentation is made of.
type Setting struct {
	// Subject is the person of the portrait.
	Subject *Recording
	// Portrait of the subject, JPEG, and where its face is.
	Portrait       []byte
	PortraitAnchor func() (Anchor, error)
	// Other is the second person, for the species that need one.
	Other *Recording
	// Challenge that will be given; it begins with face.ActionCenter.
	Challenge []face.Action
	// Variant and Seed choose the parameters. Variants that follow one another go
	// through the kinds of a species; the seed draws the rest.
	Variant int
	Seed    uint64
	// Condition names one of Conditions; empty: the plain camera of the species.
	Condition string
}

// Presentation plays against a challenge. One goroutine uses it at a time; it keeps
// a few pictures in memory, whatever its length.
type Presentation struct {
	// Detail says in a few words what kind it is, for reports: no file, no name.
	Detail string
	// Impostor: a live person other than the subject, without any instrument.
	Impostor bool

	script  script
	painter painter
	rate    float64 // frames a second
	jitter  float64 // of the frame times, fraction
	random  *Random
	noise   *table
	quality int // of the JPEG; 0: a recording's bytes as they are, where nothing is painted

	lamp *lamp // or nil: the page's light does not reach it
	dyed bool  // lamp is software

	tone    *tone
	flicker float64 // of the brightness, fraction
	sigma   float64 // of the noise, levels
	blur    float64 // pixels, before the noise
	scale   float64 // crop; 1 none
	shift   Point   // pixels
	sway    [3]drift
	swayBy  Point // pixels and degrees of hand-held movement

	camera *camera // or nil: the plain one above
	times  *pacing // of the camera
	roll   float64 // degrees

	at      time.Duration
	heard   time.Duration // when the last frame arrives
	count   int
	shown   picture // the last recorded frame
	of      *Recording
	frame   int
	prior   picture
	canvas  picture
	scratch picture
	out     bytes.Buffer
}

// painter turns the recorded frame into what the camera sees.
type painter interface {
	paint(dst, src *picture, s shot) error
}

// Next yields the frame for the instruction in force.
func (p *Presentation) Next(in face.Instruction) (Frame, error) {
	if p.camera != nil {
		return p.filmed(in)
	}
	if p.count > 0 {
		p.at += seconds((1 + p.jitter*p.random.Float(-1, 1)) / p.rate)
	}
	p.count++
	p.heard = p.at
	s := p.script.next(p.at, in)
	if p.plain(s) {
		b, err := s.of.Open(s.frame)
		if err != nil {
			return Frame{}, fmt.Errorf("attack: open a frame: %w", err)
		}
		return Frame{b, p.at, p.at}, nil
	}
	if err := p.paint(s); err != nil {
		return Frame{}, err
	}
	p.finish()
	if err := p.canvas.encode(&p.out, p.quality); err != nil {
		return Frame{}, err
	}
	return Frame{p.out.Bytes(), p.at, p.at}, nil
}

// filmed is the next frame of a camera with optics and a pace of its own.
func (p *Presentation) filmed(in face.Instruction) (Frame, error) {
	at, said, received, again := p.times.next()
	p.at, p.heard = at, received
	s := p.script.next(at, in)
	if again && p.count > 0 { // the picture before, taken again by the page
		return Frame{p.out.Bytes(), said, received}, nil
	}
	p.count++
	if err := p.paint(s); err != nil {
		return Frame{}, err
	}
	face := p.anchored(s)
	if p.camera.glare > 0 {
		p.camera.reflect(&p.canvas, face)
	}
	p.finish()
	if err := p.camera.film(&p.canvas, at, face.framed(p.canvas.w, p.canvas.h, p.scale, p.shift)); err != nil {
		return Frame{}, err
	}
	if err := p.canvas.encode(&p.out, p.quality); err != nil {
		return Frame{}, err
	}
	return Frame{p.out.Bytes(), said, received}, nil
}

// paint draws what stands before the camera, in the light that there is.
func (p *Presentation) paint(s shot) error {
	if err := p.load(s); err != nil {
		return err
	}
	if p.painter == nil {
		p.canvas.copyFrom(&p.shown)
	} else if err := p.painter.paint(&p.canvas, &p.shown, s); err != nil {
		return err
	}
	return p.lighten(s)
}

// Wipe overwrites the pictures held.
func (p *Presentation) Wipe() {
	for _, q := range []*picture{&p.shown, &p.prior, &p.canvas, &p.scratch} {
		clear(q.pix[:cap(q.pix)])
	}
	b := p.out.Bytes()
	clear(b[:cap(b)])
	if p.camera != nil {
		p.camera.wipe()
	}
}

// plain says that a recorded frame is injected as it is.
func (p *Presentation) plain(s shot) bool {
	return p.quality == 0 && p.painter == nil && s.mix == 0
}

func (p *Presentation) load(s shot) error {
	if s.of == nil {
		return errors.New("attack: nothing to show")
	}
	if p.of != s.of || p.frame != s.frame || s.mix > 0 {
		if err := open(&p.shown, s.of, s.frame); err != nil {
			return err
		}
		p.of, p.frame = s.of, s.frame
	}
	if s.mix > 0 {
		if err := open(&p.prior, s.from, s.prior); err != nil {
			return err
		}
		p.shown.mix(&p.prior, s.mix)
		p.of = nil
	}
	return nil
}

func open(dst *picture, r *Recording, frame int) error {
	b, err := r.Open(frame)
	if err != nil {
		return fmt.Errorf("attack: open a frame: %w", err)
	}
	return dst.decode(b)
}

// finish does what lens, sensor and encoder do.
func (p *Presentation) finish() {
	t := p.at.Seconds()
	dx, dy := p.shift.X+p.swayBy.X*p.sway[0].at(t), p.shift.Y+p.swayBy.X*p.sway[1].at(t)
	turn := p.roll + p.swayBy.Y*p.sway[2].at(t)
	if p.scale != 1 || dx != 0 || dy != 0 || turn != 0 {
		p.scratch.affine(&p.canvas, p.scale, turn, dx, dy)
		p.canvas, p.scratch = p.scratch, p.canvas
	}
	if p.blur > 0 {
		p.canvas.blur(p.blur, &p.scratch)
	}
	if p.flicker > 0 {
		p.canvas.apply(newTone(1+p.flicker*p.random.Float(-1, 1), 1, 1, 0))
	}
	if p.tone != nil {
		p.canvas.apply(p.tone)
	}
	p.canvas.noise(p.sigma, p.noise, p.random)
}

// Rate is the frames a second.
func (p *Presentation) Rate() float64 { return p.rate }
