package attack

import (
	"fmt"

	"ipse/face"
)

// New makes a presentation of a species. The error is ErrRecording (errors.Is)
// when the setting lacks what the species needs.
func New(s Species, set Setting) (*Presentation, error) {
	if err := set.validate(s); err != nil {
		return nil, err
	}
	other := ""
	if set.Other != nil {
		other = set.Other.Person
	}
	r := NewRandom(set.Seed, string(s), set.Subject.Person, other, fmt.Sprint(set.Variant))
	p := &Presentation{random: r, noise: newTable(r), rate: 10, quality: 80 + r.Int(12), scale: 1}
	for i := range p.sway {
		p.sway[i] = newDrift(r)
	}
	b := builder{p, r, set}
	makers := map[Species]func() error{
		BonaFide: b.bonaFide, Print: b.print, BentPrint: b.bentPrint, CutMask: b.cutMask, ScreenStill: b.screenStill, ScreenVideo: b.screenVideo,
		InjectedStill: b.injectedStill, EarlierRun: b.earlierRun, AnotherPerson: b.anotherPerson, TwoPeople: b.twoPeople, Swap: b.swap,
		WrongOrder: b.wrongOrder, Looped: b.looped, OverBright: b.overBright, Blurred: b.blurred, Crossfade: b.crossfade,
		Interpolated: b.interpolated, HardCut: b.hardCut, Relit: b.hardCut,
		Unresolved: b.unresolved,
	}
	build, ok := makers[s]
	if !ok {
		return nil, fmt.Errorf("attack: unknown species")
	}
	if err := build(); err != nil {
		return nil, err
	}
	p.lit(s, NewRandom(set.Seed, "light", string(s), set.Subject.Person, other, fmt.Sprint(set.Variant)))
	if set.Condition == "" {
		return p, nil
	}
	c, ok := ConditionOf(set.Condition)
	if !ok {
		return nil, fmt.Errorf("attack: unknown condition")
	}
	if p.lamp != nil {
		p.lamp.meter = meter{} // the condition's camera has its own
	}
	return p, b.under(s, c)
}

func (s *Setting) validate(kind Species) error {
	if err := s.Subject.validate(); err != nil {
		return err
	}
	if len(s.Challenge) < 3 || s.Challenge[0] != face.ActionCenter {
		return fmt.Errorf("attack: the challenge is too short")
	}
	if !s.Subject.has(s.Challenge) {
		return ErrRecording
	}
	if info, _ := Of(kind); info.Other {
		if err := s.Other.validate(); err != nil {
			return err
		}
		if !s.Other.has(s.Challenge) {
			return ErrRecording
		}
	}
	return nil
}

type builder struct {
	p   *Presentation
	r   *Random
	set Setting
}

// camera gives the presentation a camera of its own: light, noise, rate, encoder.
func (b *builder) camera() {
	r, p := b.r, b.p
	p.rate = r.Float(8, 15)
	p.jitter = r.Float(0, .2)
	p.tone = newTone(r.Float(.8, 1.2), r.Float(.88, 1.12), r.Float(.9, 1.12), r.Float(-.06, .06))
	p.sigma = r.Float(.5, 3)
	p.quality = 62 + r.Int(31)
	p.scale = r.Float(.95, 1.15)
	p.shift = Point{r.Float(-18, 18), r.Float(-12, 12)}
	if r.Chance(.5) { // held in the hand
		p.swayBy = Point{r.Float(.5, 3), r.Float(.1, .6)}
	}
}

func (b *builder) bonaFide() error {
	b.camera()
	b.p.script = follow(b.set.Subject, b.r)
	b.p.Detail = fmt.Sprintf("%.0f frames a second", b.p.rate)
	return nil
}

func (b *builder) anotherPerson() error {
	b.camera()
	b.p.script = follow(b.set.Other, b.r)
	b.p.Detail, b.p.Impostor = "follows every instruction", true
	return nil
}

func (b *builder) hardCut() error {
	b.camera()
	b.p.script = follow(b.set.Subject, b.r)
	b.p.Detail = "pieces joined by cuts"
	return nil
}

func (b *builder) crossfade() error {
	b.camera()
	n := 2 + b.set.Variant%5
	b.p.script = &fader{script: follow(b.set.Subject, b.r), over: n}
	b.p.Detail = fmt.Sprintf("joins of %d frames", n)
	return nil
}

func (b *builder) interpolated() error {
	b.p.script = &halver{script: follow(b.set.Subject, b.r)}
	b.p.rate = b.r.Float(12, 15)
	b.p.sigma = []float64{0, .6, 1.2}[b.set.Variant%3]
	b.p.Detail = fmt.Sprintf("noise %.1f", b.p.sigma)
	return nil
}

func (b *builder) earlierRun() error {
	r := b.r
	order := another(b.set.Challenge, r)
	switch b.set.Variant % 4 {
	case 0, 1:
		speed := []float64{1, r.Float(.75, 1.35)}[b.set.Variant%4]
		b.p.script = &player{of: b.set.Subject, list: run(b.set.Subject, order, r), speed: speed}
		b.p.Detail = fmt.Sprintf("own clock, speed %.2f", speed)
		if b.set.Variant%4 == 0 {
			b.p.quality = 0
		}
	case 2:
		f := follow(b.set.Subject, r)
		f.perform = func(i int, _ face.Action) face.Action { return order[i%len(order)] }
		b.p.script, b.p.Detail = f, "next piece at each instruction"
	case 3: // played from a random moment on, once more
		list := run(b.set.Subject, order, r)
		cut := r.Int(len(list) / 2)
		b.p.script, b.p.Detail = &player{of: b.set.Subject, list: append(list[cut:], list...), speed: 1}, "begun in the middle, twice"
		b.p.sigma = r.Float(0, 2)
	}
	return nil
}

func (b *builder) wrongOrder() error {
	b.camera()
	c, order, what := b.set.Challenge, []face.Action(nil), ""
	n := len(c) - 2
	switch v := b.set.Variant % (n + 2); {
	case v < n:
		order, what = exchanged(c, v), fmt.Sprintf("actions %d and %d exchanged", v+1, v+2)
	case v == n:
		order, what = reversed(c), "reversed"
	default:
		order, what = another(c, b.r), "drawn anew"
	}
	b.p.script, b.p.Detail = &player{of: b.set.Subject, list: run(b.set.Subject, order, b.r), speed: 1}, what
	return nil
}

func (b *builder) looped() error {
	list := whole(b.set.Subject)
	b.p.script = &player{of: b.set.Subject, list: list, speed: 1, loop: true}
	b.p.Detail = "unchanged"
	switch b.set.Variant % 4 {
	case 0:
		b.p.quality = 0
	case 1:
		b.p.sigma, b.p.Detail = b.r.Float(.5, 2), "new noise"
	case 2: // forwards and backwards, so that no join shows
		for i := len(list) - 2; i > 0; i-- {
			list = append(list, i)
		}
		b.p.script = &player{of: b.set.Subject, list: list, speed: 1, loop: true}
		b.p.sigma, b.p.Detail = b.r.Float(.5, 2), "forth and back"
	case 3: // the neutral beginning and one action only
		list = b.set.Subject.piece(b.set.Challenge[1], 0)
		b.p.script = &player{of: b.set.Subject, list: list, speed: 1, loop: true, lead: 10}
		b.p.sigma, b.p.Detail = b.r.Float(.5, 2), "one action again and again"
	}
	return nil
}

func (b *builder) swap() error {
	b.camera()
	s, o, r := follow(b.set.Subject, b.r), follow(b.set.Other, b.r), b.r
	n := len(b.set.Challenge) - 1
	k := 1 + (b.set.Variant+r.Int(n))%n
	c := &changer{a: s, b: o}
	switch b.set.Variant % 4 {
	case 0:
		c.second = func(i int) bool { return i >= k }
		b.p.Detail = fmt.Sprintf("from instruction %d on", k)
	case 1:
		c.second, c.late = func(i int) bool { return i >= k }, 3+r.Int(12)
		b.p.Detail = fmt.Sprintf("%d frames into instruction %d", c.late, k)
	case 2:
		c.second = func(i int) bool { return i == k }
		b.p.Detail = fmt.Sprintf("for instruction %d only", k)
	case 3: // the person of the portrait comes for the beginning and the end alone
		c.second = func(i int) bool { return i >= 2 && i < n }
		b.p.Detail = "all but the first and the last"
	}
	b.p.script = c
	return nil
}

// Recorded plays a recorded attack as it is, again and again, or, following, piece
// by piece as the instructions ask.
func Recorded(r *Recording, following bool, seed uint64) (*Presentation, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	random := NewRandom(seed, "recorded", r.Person, fmt.Sprint(r.Frames, following))
	p := &Presentation{random: random, rate: 10, scale: 1, script: &player{of: r, list: whole(r), speed: 1, loop: true}, Detail: "recorded, played"}
	if following {
		p.script, p.Detail = follow(r, random), "recorded, piece by piece"
	}
	return p, nil
}
