package face

import (
	"crypto/rand"
	"errors"
	"io"
	"math"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

// show plays a drawn sequence at a frame rate and adds what see says a frame
// shows, given the colour on the screen (false: white) and the time.
func (l *lightStep) show(every, late time.Duration, see func(c lightColour, coloured bool, at time.Duration) chroma) {
	for at := time.Duration(0); ; at += every {
		if _, over := l.colour(at); over {
			return
		}
		k := -1
		for k+1 < l.next && at-late >= l.told[k+1] {
			k++
		}
		if k < 0 {
			l.add(at, even(see(lightColour{}, false, at)), true)
		} else {
			l.add(at, even(see(palette()[l.code[k]], true, at)), true)
		}
	}
}

// even is a face of one colour.
func even(c chroma) (s skinColours) {
	for i := range s.of {
		s.of[i], s.seen[i] = c, true
	}
	return s
}

// A whole face is lit; glass that mirrors the page lights a part. Side light, where the
// screen gives one cheek a third of what it gives the other, is no mirror, nor is noise.
func TestLightFallsOnTheWholeFace(t *testing.T) {
	t.Parallel()
	r := mathrand.New(mathrand.NewPCG(3, 4))
	for name, v := range map[string]struct {
		shares [skinParts]float64
		noise  float64
		want   LightOutcome
	}{
		"a whole face":             {[skinParts]float64{1, 1, 1, 1}, .002, LightFollows},
		"side light":               {[skinParts]float64{.8, .4, 1.2, .9}, .002, LightFollows},
		"weak, and noise":          {[skinParts]float64{1, 1, 1, 1}, .01, LightFollows},
		"a mirror below the brows": {[skinParts]float64{0, 1, 1, 1}, .002, LightNotAvailable},
		"a mirror over the mouth":  {[skinParts]float64{0, .5, .5, 1}, .002, LightNotAvailable},
	} {
		l := drawn(t)
		end := false
		for at := time.Duration(0); !end; at += 70 * time.Millisecond {
			_, end = l.colour(at)
			var s skinColours
			for i, share := range v.shares {
				s.seen[i], s.of[i] = true, noisy(r, v.noise)
				if l.next > 0 {
					s.of[i] = s.of[i].plus(palette()[l.code[l.next-1]].adds(), .02*share)
				}
			}
			l.add(at, s, true)
		}
		if got := l.judge(); got.Outcome != v.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is lit changes by its own share, whatever it is dark by; glass adds the same to
// dark eyes and bright skin. Eyes as pale as the skin do not tell, nor does a frame that
// shows none, and glasses before the eyes are none before the brows.
func TestGlassAddsAndSkinMultiplies(t *testing.T) {
	t.Parallel()
	r := mathrand.New(mathrand.NewPCG(5, 6))
	for name, v := range map[string]struct {
		contrast float64 // of skin over eyes
		ratio    float64 // of the eyes' change over the skin's
		unseen   bool
		brows    bool // dark ones, lit
		want     LightOutcome
	}{
		"skin and dark eyes":        {4, 1, false, false, LightFollows},
		"skin and bright eyes":      {1.6, 1.1, false, false, LightFollows},
		"glass before dark eyes":    {4, 4, false, false, LightNotAvailable},
		"glass before bright eyes":  {1.6, 1.6, false, false, LightNotAvailable},
		"eyes in the brows' shade":  {4, 1.8, false, false, LightFollows},
		"glass before pale eyes":    {1.2, 1.2, false, false, LightFollows},
		"glasses":                   {4, 4, false, true, LightFollows},
		"eyes that were not to see": {4, 4, true, false, LightFollows},
	} {
		l := drawn(t)
		end := false
		for at := time.Duration(0); !end; at += 70 * time.Millisecond {
			_, end = l.colour(at)
			lit := func(gain float64) chroma {
				c := noisy(r, .002)
				if l.next > 0 {
					c = c.plus(palette()[l.code[l.next-1]].adds(), gain)
				}
				return c
			}
			s := even(lit(.02))
			s.pairs[1] = lightPair{dark: lit(.02 * v.ratio), skin: lit(.02), contrast: math.Log(v.contrast), seen: !v.unseen}
			if v.brows {
				s.pairs[0] = lightPair{dark: lit(.02), skin: lit(.02), contrast: math.Log(2), seen: true}
			}
			l.add(at, s, true)
		}
		if got := l.judge(); got.Outcome != v.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func noisy(r *mathrand.Rand, sigma float64) chroma {
	return chroma{r.NormFloat64() * sigma, r.NormFloat64() * sigma}
}

func drawn(t testing.TB) *lightStep {
	t.Helper()
	l := &lightStep{}
	if err := l.draw(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return l
}

// Over many sequences: a face that is lit follows, one that is not hardly ever
// seems to and never contradicts, and one lit in another order contradicts.
func TestLightOverManySequences(t *testing.T) {
	t.Parallel()
	r := mathrand.New(mathrand.NewPCG(1, 2))
	count := map[string]map[LightOutcome]int{}
	const runs = 30
	for range runs {
		for name, see := range map[string]func(c lightColour, coloured bool, at time.Duration) chroma{
			"lit": func(c lightColour, coloured bool, at time.Duration) chroma {
				v := noisy(r, .008)
				if coloured {
					v = v.plus(c.adds(), .03)
				}
				return v.plus(chroma{.02, -.03}, at.Seconds()) // the balance drifts
			},
			"not lit": func(lightColour, bool, time.Duration) chroma { return noisy(r, .008) },
			"a lamp goes on": func(_ lightColour, _ bool, at time.Duration) chroma {
				if at > 2*time.Second {
					return noisy(r, .008).plus(chroma{.1, -.15}, 1)
				}
				return noisy(r, .008)
			},
		} {
			l := drawn(t)
			l.show(70*time.Millisecond, 180*time.Millisecond, see)
			if count[name] == nil {
				count[name] = map[LightOutcome]int{}
			}
			count[name][l.judge().Outcome]++
		}
		l, other := drawn(t), drawn(t)
		l.show(70*time.Millisecond, 180*time.Millisecond, func(_ lightColour, coloured bool, at time.Duration) chroma {
			k := int((at - lightLead - 100*time.Millisecond) / lightSlot)
			if !coloured || k < 0 || k >= lightColours {
				return noisy(r, .008)
			}
			return noisy(r, .008).plus(palette()[other.code[k]].adds(), .06)
		})
		if count["another"] == nil {
			count["another"] = map[LightOutcome]int{}
		}
		count["another"][l.judge().Outcome]++
	}
	if n := count["lit"]; n[LightFollows] < runs*95/100 || n[LightContradicts] > 0 {
		t.Errorf("a lit face: %v", n)
	}
	for _, name := range []string{"not lit", "a lamp goes on"} {
		if n := count[name]; n[LightFollows] > runs/20 || n[LightContradicts] > 0 {
			t.Errorf("%s: %v", name, n)
		}
	}
	// Some sequences are alike in part: those are not available.
	if n := count["another"]; n[LightFollows] > runs/20 || n[LightContradicts] < runs/2 {
		t.Errorf("another sequence: %v", n)
	}
}

// Sequences are drawn evenly and never show a colour twice in a row.
func TestColoursAreDrawnEvenly(t *testing.T) {
	t.Parallel()
	var seen [lightColours][6]int
	const draws = 3000
	for range draws {
		l := drawn(t)
		for i, c := range l.code {
			seen[i][c]++
			if i > 0 && l.code[i-1] == c {
				t.Fatal("a colour twice in a row")
			}
		}
	}
	for i := range seen {
		for c, n := range seen[i] {
			if n < draws/6*3/4 || n > draws/6*5/4 {
				t.Errorf("colour %d at place %d: %d of %d", c, i, n, draws)
			}
		}
	}
	if err := (&lightStep{}).draw(strings.NewReader("")); !errors.Is(err, io.EOF) {
		t.Errorf("drawn without randomness: %v", err)
	}
	n := 0
	everyCode(func(*[lightColours]uint8) { n++ })
	if n != 6*5*5*5*5*5 {
		t.Errorf("%d sequences", n)
	}
}

// WCAG 2.2, 2.3.1: at most three flashes a second and no saturated red. A flash
// is two changes, so three changes a second are safe; the whole is short.
func TestColoursAreSafeToLookAt(t *testing.T) {
	t.Parallel()
	l := drawn(t)
	var shown []string
	var last string
	var end time.Duration
	for at := time.Duration(0); ; at += 5 * time.Millisecond {
		hex, over := l.colour(at)
		if end = at; over {
			break
		}
		if hex != last {
			shown, last = append(shown, at.String()), hex
		}
	}
	if len(shown) != 1+lightColours || lightSlot < time.Second/3 {
		t.Errorf("changes at %v", shown)
	}
	if end > 5*time.Second {
		t.Errorf("takes %s", end)
	}
	linear := linearTable()
	for _, c := range palette() {
		r, g, b := linear[c[0]], linear[c[1]], linear[c[2]]
		if r/(r+g+b) >= .8 {
			t.Errorf("%s is a saturated red", c)
		}
		if _, err := strconv.ParseUint(c.String()[1:], 16, 32); err != nil || len(c.String()) != 7 {
			t.Errorf("%s is no colour", c)
		}
	}
}

// Where frames stop, the sequence waits for them, but not for ever.
func TestColoursWaitForFrames(t *testing.T) {
	t.Parallel()
	l := drawn(t)
	for _, at := range []time.Duration{0, 5 * time.Second, 5100 * time.Millisecond, 9 * time.Second} {
		if _, over := l.colour(at); over {
			t.Fatalf("over at %s", at)
		}
	}
	if l.next != 2 {
		t.Errorf("%d colours told", l.next)
	}
	if _, over := l.colour(lightLongest); !over {
		t.Error("goes on")
	}
	if r := l.judge(); r.Outcome != LightNotAvailable || r.Shown != 2 {
		t.Errorf("%+v", r)
	}
	if r := (&lightStep{}).judge(); r.Outcome != LightNotAvailable {
		t.Errorf("no sequence: %+v", r)
	}
}

// A recorded sequence is one that could have been drawn, with white before it or not,
// and with times that advance; without times it is shown as a live check shows it.
func TestRecordedColours(t *testing.T) {
	t.Parallel()
	c := LightColours()
	sequence := func(white bool, step time.Duration, colours ...string) (list []Shown) {
		if white {
			list = append(list, Shown{"#ffffff", 10 * step})
		}
		for i, hex := range colours {
			list = append(list, Shown{hex, time.Duration(11+i) * step})
		}
		return list
	}
	good := []string{c[0], c[1], c[0], c[2], c[5], c[3]}
	for name, v := range map[string]struct {
		shown []Shown
		given time.Duration // -1: refused
	}{
		"with white":         {sequence(true, time.Second, good...), 10 * time.Second},
		"without":            {sequence(false, time.Second, good...), 11*time.Second - lightLead},
		"capitals":           {sequence(true, time.Second, c[0], c[1], strings.ToUpper(c[0]), c[2], c[5], c[3]), 10 * time.Second},
		"too few":            {sequence(true, time.Second, good[:5]...), -1},
		"too many":           {sequence(true, time.Second, append(good, c[0])...), -1},
		"white alone":        {sequence(true, time.Second), -1},
		"an unknown colour":  {sequence(true, time.Second, c[0], c[1], "#ff0000", c[2], c[5], c[3]), -1},
		"the same twice":     {sequence(true, time.Second, c[0], c[1], c[1], c[2], c[5], c[3]), -1},
		"times stand still":  {sequence(true, 0, good...), -1},
		"times run backward": {sequence(true, -time.Second, good...), -1},
	} {
		l := &lightStep{}
		err := l.replay(v.shown, false)
		if (err != nil) != (v.given < 0) || (err != nil && !errors.Is(err, ErrChallenge)) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		if l.given != v.given {
			t.Errorf("%s: given at %s", name, l.given)
		}
		if hex, over := l.colour(13*time.Second + lightSlot); hex != c[0] || over || l.next != 3 {
			t.Errorf("%s: shows %s, the colour %d", name, hex, l.next)
		}
		if _, over := l.colour(16*time.Second + lightSlot + lightTail); !over {
			t.Errorf("%s: goes on", name)
		}
	}
	l := &lightStep{}
	if err := l.replay(sequence(true, 0, good...), true); err != nil {
		t.Fatal(err)
	}
	if hex, _ := l.colour(lightLead); hex != c[0] {
		t.Errorf("without times the first colour is %s", hex)
	}
}

// What the camera does to the whole picture falls out of the measure, whatever
// the skin; a colour on the skin alone stays in it.
func TestReflectionIsOfTheSkinAlone(t *testing.T) {
	t.Parallel()
	m, linear := head(0, 70), linearTable()
	paint := func(skin, wall [3]float64) *picture {
		return scene(func(x, y int) (float64, float64, float64) {
			c := wall
			dx, dy := float64(x-320)/95, float64(y-240)/115
			if dx*dx+dy*dy < 1 {
				c = skin
			}
			return .299*c[0] + .587*c[1] + .114*c[2], 128 - .168736*c[0] - .331264*c[1] + .5*c[2], 128 + .5*c[0] - .418688*c[1] - .081312*c[2]
		})
	}
	measure := func(p *picture) chroma {
		c, ok := p.reflection(m, &linear)
		if !ok {
			t.Fatal("not measured")
		}
		return c.middle()
	}
	gain := func(c [3]float64, r, g, b float64) [3]float64 { return [3]float64{c[0] * r, c[1] * g, c[2] * b} }
	wall := [3]float64{150, 140, 130}
	for _, skin := range [][3]float64{{200, 160, 140}, {90, 60, 48}} {
		before := measure(paint(skin, wall))
		balanced := measure(paint(gain(skin, 1.08, 1, .93), gain(wall, 1.08, 1, .93))).plus(before, -1)
		coloured := measure(paint(gain(skin, 1.08, 1, .93), wall)).plus(before, -1)
		if balanced.dot(balanced) > .03*.03 {
			t.Errorf("white balance shows: %v", balanced)
		}
		if coloured.r < .12 || coloured.b > -.1 {
			t.Errorf("a colour on the skin does not show: %v", coloured)
		}
	}
	for name, p := range map[string]*picture{"no background": paint([3]float64{200, 160, 140}, [3]float64{2, 2, 2}), "burnt out": paint([3]float64{251, 251, 251}, wall)} {
		if _, ok := p.reflection(m, &linear); ok {
			t.Errorf("measured with %s", name)
		}
	}
}

func BenchmarkLightJudge(b *testing.B) {
	l := drawn(b)
	r := mathrand.New(mathrand.NewPCG(1, 2))
	l.show(70*time.Millisecond, 100*time.Millisecond, func(lightColour, bool, time.Duration) chroma { return noisy(r, .01) })
	for b.Loop() {
		l.judge()
	}
}
