package attack

import (
	"fmt"
	"time"

	"ipse/face"
)

// Condition is a circumstance in which genuine people meet a camera: a light, a
// lens, a sensor, a processor, a line or a manner. Everything else is an ordinary
// camera's.
type Condition struct {
	// Name is a word of a report, e.g. "dim_room".
	Name string
	// Made says what it is made of.
	Made string
	// Unfit: a good picture is impossible; a refusal for the quality of the picture is right.
	Unfit bool

	draw func(r *Random, s *setup)
}

// setup is what a condition changes.
type setup struct {
	optics
	timing
	manner
	scale float64 // of the person in the picture
	roll  float64 // of the camera or the head, degrees
	sway  Point   // of a hand: pixels and degrees
}

// ordinary is a camera as many are: 8,000 electrons of white at the light of the
// recording, two or three read; slow exposure and white balance; a little noise
// filtering and sharpening; 10 to 15 frames a second with small jitter.
func ordinary(r *Random) *setup {
	return &setup{
		optics: optics{electrons: r.Float(5000, 12000), read: r.Float(2, 4), maxGain: 8, aeStep: .12, aeLag: 3, awb: .04,
			temporal: r.Float(.3, .6), sharpen: r.Float(.1, .4), quality: pageQuality},
		timing: timing{rate: r.Float(10, 15), jitter: .08, delay: .06},
	}
}

// Conditions lists them in the order of reports.
func Conditions() []Condition {
	return append(append(conditionsOfLight(), conditionsOfCamera()...), append(conditionsOfStream(), conditionsOfPerson()...)...)
}

// ConditionOf returns the condition of a name.
func ConditionOf(name string) (Condition, bool) {
	for _, c := range Conditions() {
		if c.Name == name {
			return c, true
		}
	}
	return Condition{}, false
}

func conditionsOfLight() []Condition {
	return []Condition{
		{Name: "ordinary_camera", Made: "good light, small sensor, mild processing; the ground of all others", draw: func(*Random, *setup) {}},
		{Name: "dim_room", Made: "a tenth to a quarter of the light, 8 to 10 frames a second, strong noise filters", draw: func(r *Random, s *setup) {
			s.room, s.rate = r.Float(.1, .25), r.Float(8, 10)
			s.temporal, s.smooth, s.passes = .8, 10, 1
		}},
		{Name: "dark_room", Made: "two thousandths of the light: the face stays dark and noisy", Unfit: true, draw: func(r *Random, s *setup) {
			s.room, s.rate, s.temporal, s.smooth, s.passes = r.Float(.0015, .003), r.Float(7, 8), .85, 16, 1
		}},
		{Name: "mains_flicker", Made: "LED lamps at 100 or 120 Hz, 20 to 50 % deep, exposure that does not fit: bands that wander", draw: func(r *Random, s *setup) {
			s.mains, s.ripple = Pick(r, 100., 120.), r.Float(.2, .5)
			s.exposure, s.readout = Pick(r, 1./60, 1./50, 1./30, 1./125), r.Float(.015, .03)
			if s.mains*s.exposure == 1 || s.mains*s.exposure == 2 {
				s.exposure *= .8
			}
		}},
		{Name: "warm_lamp", Made: "lamps of 2,700 K that the white balance takes seconds to correct", draw: func(r *Random, s *setup) {
			s.lamp, s.awb = rgb{r.Float(1.25, 1.5), 1, r.Float(.4, .6)}, .02
		}},
		{Name: "changing_light", Made: "clouds, a television, lamps: steps of up to half a stop, exposure that follows late and in large steps", draw: func(r *Random, s *setup) {
			s.steps, s.aeStep, s.aeLag = r.Float(.3, .7), .25, 2+r.Int(5)
		}},
		{Name: "side_light", Made: "one half of the face has 15 to 35 % of the light of the other", draw: func(r *Random, s *setup) { s.side = r.Float(.15, .35) }},
		{Name: "light_behind", Made: "a window behind, 3 to 5 times as bright as recorded, with local tone mapping", draw: func(r *Random, s *setup) {
			s.behind, s.local = r.Float(3, 5), r.Float(.3, .6)
		}},
	}
}

func conditionsOfCamera() []Condition {
	return []Condition{
		{Name: "soft_lens", Made: "fixed focus a little off: sigma .8 to 1.3 pixels", draw: func(r *Random, s *setup) { s.blur = r.Float(.8, 1.3) }},
		{Name: "wide_lens", Made: "barrel distortion of 3 to 8 %, corners that lose up to half of the light", draw: func(r *Random, s *setup) {
			s.barrel, s.corners = r.Float(.03, .08), r.Float(.3, .5)
		}},
		{Name: "focus_hunting", Made: "an autofocus that searches for .6 s every few seconds", draw: func(r *Random, s *setup) { s.hunt = r.Float(2, 4) }},
		{Name: "coarse_camera", Made: "320 x 240 pixels with a colour mosaic", draw: func(r *Random, s *setup) {
			s.width, s.height, s.mosaic, s.electrons, s.temporal = 320, 240, true, r.Float(3000, 6000), .3
		}},
		{Name: "noisy_sensor", Made: "400 to 900 electrons of white, colour mosaic, no noise filter", draw: func(r *Random, s *setup) {
			s.electrons, s.mosaic, s.temporal, s.sharpen = r.Float(400, 900), true, 0, .2
		}},
		{Name: "worn_sensor", Made: "fixed pattern of 1 to 2 %, columns, 10 to 30 bright pixels", draw: func(r *Random, s *setup) {
			s.uneven, s.hot, s.mosaic, s.temporal = r.Float(.01, .02), 10+r.Int(20), true, 0
		}},
		{Name: "wide_picture", Made: "16 to 9, the person smaller in it", draw: func(r *Random, s *setup) {
			s.width, s.height, s.scale = 640, 360, r.Float(.72, .8)
		}},
		{Name: "temporal_filter", Made: "recursive noise filter that keeps 85 to 92 % of what stands still", draw: func(r *Random, s *setup) {
			s.temporal = r.Float(.85, .92)
		}},
		{Name: "noise_gate", Made: "the same, and changes under 2 to 3 levels are dropped: what does not move stands still exactly", draw: func(r *Random, s *setup) {
			s.temporal, s.coring, s.electrons = r.Float(.8, .9), 32+r.Int(20), r.Float(8000, 15000)
		}},
		{Name: "watercolour", Made: "spatial noise filter over 14 to 20 levels, three passes", draw: func(r *Random, s *setup) {
			s.smooth, s.passes, s.electrons = 14+r.Int(7), 3, r.Float(1500, 3000)
		}},
		{Name: "oversharpened", Made: "an unsharp mask that leaves halos", draw: func(r *Random, s *setup) { s.sharpen = r.Float(1, 1.6) }},
	}
}

func conditionsOfStream() []Condition {
	return []Condition{
		{Name: "slow_frames", Made: "7 to 8 frames a second at the natural speed of movements", draw: func(r *Random, s *setup) { s.rate = r.Float(7, 8) }},
		{Name: "poor_pacing", Made: "frames shown twice (12 %), lost (15 %), times that jitter by 40 %, a busy page", draw: func(_ *Random, s *setup) {
			s.doubled, s.dropped, s.jitter, s.hiccup = .12, .15, .4, .02
		}},
		{Name: "poor_line", Made: "a clock rounded to 100 ms, 150 ms of delay, a line that stands now and then", draw: func(r *Random, s *setup) {
			s.clock, s.delay, s.stall = 100*time.Millisecond, r.Float(.1, .25), .015
		}},
		{Name: "phone_as_camera", Made: "H.264-like: macroblocks that hardly change are not sent again, whole pictures every 1 to 6 s", draw: func(r *Random, s *setup) {
			s.block, s.skip, s.refresh, s.temporal = 45+r.Int(25), 3, 15+r.Int(60), .7
		}},
		{Name: "coarse_compression", Made: "Motion JPEG of quality 25 to 45 before the page's own", draw: func(r *Random, s *setup) { s.block = 25 + r.Int(21) }},
	}
}

func conditionsOfPerson() []Condition {
	return []Condition{
		{Name: "held_in_hand", Made: "a telephone in an unsteady hand", draw: func(r *Random, s *setup) { s.sway = Point{r.Float(5, 9), r.Float(.8, 1.6)} }},
		{Name: "slow_person", Made: "reacts 1.5 to 3 s late, slowly, holds each movement for a second", draw: func(r *Random, s *setup) {
			s.slow, s.hold, s.rate = r.Float(1.5, 3), 8, r.Float(8, 9)
		}},
		{Name: "small_movements", Made: "55 to 70 % of the amplitude at first, more at each further try", draw: func(r *Random, s *setup) { s.shallow = r.Float(.55, .7) }},
		{Name: "small_smile", Made: "little facial expression: mouth and lids move by 50 to 65 % at first", draw: func(r *Random, s *setup) { s.smile = r.Float(.5, .65) }},
		{Name: "quick_person", Made: "movements at one and a half times the recorded speed before 10 frames a second", draw: func(_ *Random, s *setup) { s.tempo, s.rate = 1.5, 10 }},
		{Name: "tilted_head", Made: "10 to 15 degrees of roll", draw: func(r *Random, s *setup) { s.roll = r.Float(10, 15) * Pick(r, -1., 1.) }},
		{Name: "wrong_way_first", Made: "turns the other way first, at the first turn that is asked", draw: func(_ *Random, s *setup) { s.wrong = true }},
		{Name: "talking", Made: "says something while waiting, three to six syllables", draw: func(r *Random, s *setup) { s.talk = r.Float(.25, .5) }},
		{Name: "glasses_glare", Made: "reflections before both eyes that hide 40 to 70 % of what is there", draw: func(r *Random, s *setup) { s.glare = r.Float(.4, .7) }},
	}
}

// Filmed says whether a species stands before a camera, so that a condition
// applies to it. What is injected passes none.
func Filmed(s Species) bool {
	switch s {
	case BonaFide, Print, BentPrint, CutMask, ScreenStill, ScreenVideo, AnotherPerson, TwoPeople, Swap, WrongOrder, OverBright, Blurred:
		return true
	default:
		return false
	}
}

// under films the presentation in a condition, whatever it shows.
func (b *builder) under(s Species, c Condition) error {
	if !Filmed(s) {
		return fmt.Errorf("attack: what is injected passes no camera")
	}
	p, r := b.p, NewRandom(b.set.Seed, "condition", c.Name, b.set.Subject.Person, fmt.Sprint(b.set.Variant))
	u := ordinary(r)
	c.draw(r, u)
	p.camera = newCamera(u.optics, r, p.noise)
	p.times = &pacing{timing: u.timing, r: r}
	p.sigma, p.quality, p.rate, p.roll = 0, u.quality, u.rate, u.roll
	if u.scale > 0 {
		p.scale *= u.scale
	}
	if u.sway != (Point{}) {
		p.swayBy = u.sway
	}
	b.behave(&u.manner)
	p.script = &clocked{script: p.script, rate: max(u.rate, 10*max(u.tempo, 1))}
	p.Detail = c.Name
	if s != BonaFide {
		p.Detail = c.Name + ", " + p.Detail
	}
	return nil
}

// behave gives whoever follows instructions a manner; an instrument has none.
func (b *builder) behave(m *manner) {
	f, ok := b.p.script.(*follower)
	if !ok {
		return
	}
	f.manner = m
	f.pace.delay += m.slow
}

// anchored is where the face of a recorded frame is in the picture, after framing.
func (p *Presentation) anchored(s shot) Anchor {
	if s.of == nil || s.of.Anchor == nil {
		return Anchor{}
	}
	n := 0
	if p.camera.glare > 0 {
		n = s.frame
	}
	a, err := s.of.Anchor(n)
	if err != nil {
		return Anchor{}
	}
	return a
}

// framed moves an anchor as the picture is scaled and shifted.
func (a Anchor) framed(w, h int, scale float64, shift Point) Anchor {
	mx, my := float64(w-1)/2, float64(h-1)/2
	move := func(q Point) Point { return Point{(q.X-mx)*scale + mx + shift.X, (q.Y-my)*scale + my + shift.Y} }
	return Anchor{move(a.EyeL), move(a.EyeR), move(a.Mouth)}
}

// told is the action that is performed at the nth try: whoever takes left for right
// sees it and turns back.
func (m *manner) told(a face.Action, try int) face.Action {
	if m == nil || !m.wrong || try > 0 || (a != face.ActionTurnLeft && a != face.ActionTurnRight) {
		return a
	}
	m.wrong = false
	if a == face.ActionTurnLeft {
		return face.ActionTurnRight
	}
	return face.ActionTurnLeft
}
