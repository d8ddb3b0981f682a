package attack

import (
	"bytes"
	"math"
	"testing"
	"time"

	"ipse/face"
)

// means of red over green in a patch, logarithm of levels.
func redness(t *testing.T, jpeg []byte, x0, y0, x1, y1 int) float64 {
	t.Helper()
	var p picture
	if err := p.decode(jpeg); err != nil {
		t.Fatal(err)
	}
	r, g := 0.0, 0.0
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			r, g = r+float64(p.pix[4*(y*p.w+x)]), g+float64(p.pix[4*(y*p.w+x)+1])
		}
	}
	return math.Log(r / g)
}

// Whoever stands before the page is lit by it, the face more than the wall, a moment
// after it was told; what is injected is not lit, and a dyed face alone.
func TestThePageLightsWhatStandsBeforeIt(t *testing.T) {
	t.Parallel()
	for species, want := range map[Species]struct{ face, wall bool }{
		BonaFide: {true, true}, AnotherPerson: {true, true}, WrongOrder: {true, true}, Relit: {true, false},
		HardCut: {}, Crossfade: {}, EarlierRun: {}, Looped: {}, InjectedStill: {},
	} {
		set := setting(t, 1)
		p, err := New(species, set)
		if err != nil {
			t.Fatal(err)
		}
		p.tone, p.sigma, p.scale, p.shift, p.swayBy, p.quality = nil, 0, 1, Point{}, Point{}, 95
		if p.lamp != nil {
			p.lamp.gain, p.lamp.late, p.lamp.meter = .5, 150*time.Millisecond, meter{}
			if !p.dyed {
				p.lamp.wall = .2
			}
		}
		in := face.Instruction{Index: 0, Action: face.ActionLight}
		var red [8][2]float64
		for i := range red {
			f, err := p.Next(in)
			if err != nil {
				t.Fatal(err)
			}
			red[i] = [2]float64{redness(t, f.JPEG, 28, 22, 36, 30), redness(t, f.JPEG, 0, 0, 8, 8)}
			if i == 0 {
				p.Shine("#ff7070")
			}
		}
		face, wall := red[7][0]-red[0][0], red[7][1]-red[0][1]
		if (face > .03) != want.face || (wall > .01) != want.wall || (want.face && face < 2*wall) {
			t.Errorf("%s: the face by %.3f, the wall by %.3f", species, face, wall)
		}
		if d := red[1][0] - red[0][0]; math.Abs(d) > .01 {
			t.Errorf("%s: lit at once, by %.3f", species, d)
		}
	}
}

// The page's own colours light nothing: a presentation is then what it is without.
func TestWithoutColoursNothingChanges(t *testing.T) {
	t.Parallel()
	var runs [2][]byte
	for i := range runs {
		p, err := New(BonaFide, setting(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			f, err := p.Next(face.Instruction{})
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = bytes.Clone(f.JPEG)
			if i == 1 {
				p.Shine("")
			}
		}
	}
	if !bytes.Equal(runs[0], runs[1]) {
		t.Error("the page's own light changes the picture")
	}
}

// Paper returns light as skin does; a display next to nothing, but where it mirrors
// the page; both stand before a wall.
func TestSheetsInTheLight(t *testing.T) {
	t.Parallel()
	l := &lamp{gain: .4, wall: .1, glass: glass{haze: .002, mirror: .04, wide: .3, high: .3}}
	c := &scene{room: newPicture(64, 48), sheet: sheet{z: 1, halfWidth: .3, halfHigh: .25}}
	c.skin = &paper{}
	if r := c.reflects(l, 32, 24); math.Abs(r.times-.4) > .001 || r.plus != 0 {
		t.Errorf("paper: %+v", r)
	}
	c.sheet.pose.Yaw = 40
	if r := c.reflects(l, 32, 24); r.times > .32 {
		t.Errorf("paper that turns away: %+v", r)
	}
	c.sheet.pose.Yaw = 0
	if r := c.reflects(l, 1, 1); math.Abs(r.times-.04) > .001 {
		t.Errorf("the wall: %+v", r)
	}
	c.skin = &display{}
	if r := c.reflects(l, 20, 16); r.times != 0 || r.plus != .002 {
		t.Errorf("a display: %+v", r)
	}
	if r := c.reflects(l, 33, 27); math.Abs(r.plus-.042) > 1e-9 {
		t.Errorf("its mirror image: %+v", r)
	}
	c.sheet.pose.Yaw = 15
	if r := c.reflects(l, 33, 27); r.plus != .002 {
		t.Errorf("tilted away: %+v", r)
	}
}

// Exposure and white balance take out what they can, each in its time.
func TestTheCameraAnswers(t *testing.T) {
	t.Parallel()
	m := meter{exposure: 1, quick: .2, balance: .5, slow: 1}
	red := rgb{1.2, 1, 1}
	if g := m.answer(red, 0); g != (rgb{1, 1, 1}) {
		t.Errorf("at once: %v", g)
	}
	var g rgb
	for i := range 100 {
		g = m.answer(red, time.Duration(i)*100*time.Millisecond)
	}
	luma := math.Log(.2126*1.2 + .7152 + .0722)
	if math.Abs(math.Log(g[1])+luma) > 1e-3 || math.Abs(math.Log(g[0]/g[1])+.5*math.Log(1.2)) > 1e-3 {
		t.Errorf("at last: %v", g)
	}
	if g := (&meter{}).answer(red, time.Second); g != (rgb{1, 1, 1}) {
		t.Errorf("no camera answers: %v", g)
	}
}

// Rooms, screens and cameras differ: some light is far too weak to be seen, some is
// stronger than the room's.
func TestLampsDiffer(t *testing.T) {
	t.Parallel()
	weak, strong, mirrors := 0, 0, 0
	for seed := range uint64(400) {
		l := newLamp(NewRandom(seed))
		switch {
		case l.gain < .015:
			weak++
		case l.gain > .5:
			strong++
		}
		if l.glass.mirror > 0 {
			mirrors++
		}
		if l.gain < 8./2500 || l.gain > 90./25 || l.wall < 1./36 || l.wall > 1/2.25 || l.late < 59*time.Millisecond || l.late > 401*time.Millisecond {
			t.Fatalf("%+v", l)
		}
	}
	if weak < 20 || weak > 100 || strong < 20 || strong > 120 || mirrors < 80 || mirrors > 190 {
		t.Errorf("%d weak, %d strong, %d glossy displays of 400", weak, strong, mirrors)
	}
}
