package attack

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/face"
)

// recording is a sequence of small pictures, each of a grey of its own, with every
// action in it; blinks twice.
func recording(t *testing.T, person string, base byte) *Recording {
	t.Helper()
	r := &Recording{Person: person}
	at := 6
	for _, a := range append(face.Actions(), face.ActionBlink) {
		r.Pieces = append(r.Pieces, Piece{a, at, at + 4})
		at += 5
	}
	r.Frames = at
	r.Poses = make([]Pose, r.Frames)
	frames := make([][]byte, r.Frames)
	for i := range frames {
		frames[i] = greyJPEG(t, 64, 48, base+byte(2*i))
	}
	r.Open = func(i int) ([]byte, error) { return frames[i], nil }
	r.Anchor = func(int) (Anchor, error) {
		return Anchor{EyeL: Point{26, 20}, EyeR: Point{38, 20}, Mouth: Point{32, 32}}, nil
	}
	return r
}

func greyJPEG(t *testing.T, w, h int, level byte) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func setting(t *testing.T, variant int) Setting {
	t.Helper()
	return Setting{Subject: recording(t, "one", 40), Other: recording(t, "two", 90), Portrait: greyJPEG(t, 48, 60, 200), Variant: variant, Seed: 3,
		PortraitAnchor: func() (Anchor, error) { return Anchor{Point{16, 24}, Point{32, 24}, Point{24, 40}}, nil },
		Challenge:      append([]face.Action{face.ActionCenter}, face.Actions()...)}
}

// play takes n frames while the instructions of a challenge change every few frames.
func play(t *testing.T, p *Presentation, set Setting, n, every int) (frames [][]byte, times []time.Duration) {
	t.Helper()
	for i := range n {
		k := min(i/every, len(set.Challenge)-1)
		f, err := p.Next(face.Instruction{Index: k, Of: len(set.Challenge), Action: set.Challenge[k]})
		if err != nil {
			t.Fatal(err)
		}
		frames, times = append(frames, bytes.Clone(f.JPEG)), append(times, f.At)
	}
	return frames, times
}

func everySpecies() []Species {
	list := []Species{BonaFide}
	for _, i := range Catalogue() {
		list = append(list, i.Species)
	}
	return list
}

// The same seed gives the same bytes, another seed others, and frames are JPEG
// pictures whose times advance.
func TestPresentationsAreReproducible(t *testing.T) {
	t.Parallel()
	for _, s := range everySpecies() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			var runs [3][][]byte
			for i, seed := range []uint64{3, 3, 4} {
				set := setting(t, 1)
				set.Seed = seed
				p, err := New(s, set)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Wipe()
				var times []time.Duration
				runs[i], times = play(t, p, set, 4, 2)
				if !slices.IsSorted(times) || times[0] != 0 || times[3] < 150*time.Millisecond {
					t.Errorf("times %v", times)
				}
				if p.Detail == "" {
					t.Error("no detail")
				}
			}
			if !slices.EqualFunc(runs[0], runs[1], bytes.Equal) {
				t.Error("the same seed gives other frames")
			}
			if slices.EqualFunc(runs[0], runs[2], bytes.Equal) {
				t.Error("another seed gives the same frames")
			}
			for _, b := range runs[0] {
				if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestEveryVariantCanBeMade(t *testing.T) {
	t.Parallel()
	for _, s := range everySpecies() {
		details := map[string]bool{}
		for v := range 9 {
			p, err := New(s, setting(t, v))
			if err != nil {
				t.Fatalf("%s, variant %d: %v", s, v, err)
			}
			details[p.Detail] = true
			if p.rate < 7.9 || p.rate > 15 {
				t.Errorf("%s: %.1f frames a second", s, p.rate)
			}
		}
		if info, ok := Of(s); ok && !info.Impostor && !info.Limit && len(details) < 2 {
			t.Errorf("%s: one kind only: %v", s, details)
		}
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[Species]bool{}
	for _, i := range Catalogue() {
		if seen[i.Species] || i.Title == "" || i.Made == "" || strings.HasSuffix(i.Made, ".") {
			t.Errorf("%+v", i)
		}
		seen[i.Species] = true
	}
	for _, s := range []Species{Print, BentPrint, CutMask, ScreenStill, ScreenVideo, InjectedStill, EarlierRun, AnotherPerson, TwoPeople, Swap, WrongOrder, Looped, OverBright, Blurred} {
		if !seen[s] {
			t.Errorf("%s is missing", s)
		}
	}
	if _, ok := Of("nothing"); ok {
		t.Error("an unknown species is known")
	}
}

func TestWhatLacksIsRefused(t *testing.T) {
	t.Parallel()
	set := setting(t, 0)
	set.Other = nil
	if _, err := New(Swap, set); !errors.Is(err, ErrRecording) {
		t.Errorf("nobody to swap with: %v", err)
	}
	set = setting(t, 0)
	set.Subject.Pieces = set.Subject.Pieces[:2]
	if _, err := New(BonaFide, set); !errors.Is(err, ErrRecording) {
		t.Errorf("actions missing: %v", err)
	}
	set = setting(t, 0)
	set.Subject.Pieces[0].To = 1000
	if _, err := New(BonaFide, set); !errors.Is(err, ErrRecording) {
		t.Errorf("a piece beyond the end: %v", err)
	}
	if _, err := New("nothing", setting(t, 0)); err == nil {
		t.Error("an unknown species is made")
	}
	set = setting(t, 0)
	set.Challenge = set.Challenge[1:]
	if _, err := New(BonaFide, set); err == nil {
		t.Error("a challenge without its beginning")
	}
	set = setting(t, 0)
	set.Subject.Open = func(int) ([]byte, error) { return []byte("no picture"), nil }
	p, err := New(BonaFide, set)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Next(face.Instruction{}); err == nil {
		t.Error("a damaged frame passes")
	}
}

// A flat sheet moves as a plane: one homography maps all of it from one pose to
// another. A bent one does not.
func TestOnlyAFlatSheetMovesAsAPlane(t *testing.T) {
	t.Parallel()
	residual := func(bend float64) float64 {
		s := sheet{z: 1, halfWidth: .35, halfHigh: .45, bend: bend}
		var from, to [][2]float64
		for i := -3; i <= 3; i++ {
			for k := -3; k <= 3; k++ {
				arc, v := float64(i)/3*s.halfWidth, float64(k)/3*s.halfHigh
				s.pose = Pose{}
				x, y := s.project(arc, v, 640, 480)
				from = append(from, [2]float64{x, y})
				s.pose = Pose{Yaw: 28, Pitch: -9, Roll: 4}
				x, y = s.project(arc, v, 640, 480)
				to = append(to, [2]float64{x, y})
			}
		}
		return planeResidual(from, to)
	}
	if r := residual(0); r > 1e-6 {
		t.Errorf("a flat sheet leaves %.6f pixels", r)
	}
	if r := residual(2); r < 1 {
		t.Errorf("a bent sheet leaves only %.3f pixels", r)
	}
}

// planeResidual fits the homography of the four corners of a 7 x 7 lattice and
// returns the greatest distance of the others.
func planeResidual(from, to [][2]float64) float64 {
	var m [8][9]float64
	for i, c := range []int{0, 6, 42, 48} {
		x, y, u, v := from[c][0], from[c][1], to[c][0], to[c][1]
		m[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		m[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 {
		p := c
		for r := c; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		m[c], m[p] = m[p], m[c]
		for r := range 8 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k < 9; k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	var h [8]float64
	for i := range h {
		h[i] = m[i][8] / m[i][i]
	}
	worst := 0.0
	for i := range from {
		x, y := from[i][0], from[i][1]
		w := h[6]*x + h[7]*y + 1
		worst = max(worst, math.Hypot((h[0]*x+h[1]*y+h[2])/w-to[i][0], (h[3]*x+h[4]*y+h[5])/w-to[i][1]))
	}
	return worst
}

// spot is a skin that is white around one place and black elsewhere.
type spot struct{ s, v float64 }

func (k spot) at(s, v float64) (rgb, float64) {
	if math.Hypot(s-k.s, v-k.v) < .02 {
		return rgb{255, 255, 255}, 1
	}
	return rgb{}, 1
}

// What is drawn lies where the geometry says, flat and bent to either side.
func TestDrawingAgreesWithProjection(t *testing.T) {
	t.Parallel()
	for _, bend := range []float64{0, 2.2, -1.5} {
		s := sheet{x: .02, y: -.03, z: 1, halfWidth: .3, halfHigh: .3, bend: bend, pose: Pose{Yaw: 20, Pitch: 11, Roll: -5}}
		p := newPicture(320, 240)
		k := spot{.12, -.1}
		s.draw(p, k)
		x, y := s.project(k.s, k.v, p.w, p.h)
		sx, sy, sum := 0.0, 0.0, 0.0
		for i := range p.w * p.h {
			w := float64(p.pix[4*i])
			sx, sy, sum = sx+w*float64(i%p.w), sy+w*float64(i/p.w), sum+w
		}
		if sum == 0 || math.Hypot(sx/sum-x, sy/sum-y) > 1.2 {
			t.Errorf("bend %.1f: drawn at %.1f, %.1f, projected to %.1f, %.1f", bend, sx/sum, sy/sum, x, y)
		}
	}
}

// Yaw > 0 moves the middle of a sheet that stands before its axis to the image's
// right, pitch > 0 up: the signs of package face.
func TestSignsOfAPose(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		pose Pose
		want [3]float64 // direction of the front
	}{{Pose{}, [3]float64{0, 0, -1}}, {Pose{Yaw: 90}, [3]float64{1, 0, 0}}, {Pose{Pitch: 90}, [3]float64{0, -1, 0}}} {
		a := v.pose.axes()
		for i := range v.want {
			if math.Abs(-a[2][i]-v.want[i]) > 1e-9 {
				t.Errorf("%+v: the front looks to %v", v.pose, a[2])
				break
			}
		}
	}
	if a := (Pose{Roll: 90}).axes(); math.Abs(a[0][1]-1) > 1e-9 {
		t.Error("roll > 0 is not clockwise")
	}
}

// A screen leaves a wave of its pixels; the same picture on paper without raster
// does not.
func TestAScreenShowsItsGrid(t *testing.T) {
	t.Parallel()
	flat := newPicture(64, 48)
	for y := range flat.h {
		for x := range flat.w {
			flat.set(x, y, rgb{140, 140, 140})
		}
	}
	roughness := func(k skin) float64 {
		s := sheet{z: 1, halfWidth: .4, halfHigh: .3}
		p := newPicture(320, 240)
		s.draw(p, k)
		sum := 0.0
		for x := 100; x < 220; x++ {
			a, b := p.pix[4*(120*p.w+x)], p.pix[4*(120*p.w+x+1)]
			sum += math.Abs(float64(a) - float64(b))
		}
		return sum / 120
	}
	d := &display{image: flat, halfWidth: .4, halfUp: .3, columns: 300, rows: 225, contrast: .4, gamma: 1, tint: rgb{1, 1, 1}, step: 1. / 320}
	d.prepare()
	screen, bare := roughness(d), roughness(&plainSkin{flat, .4, .3})
	if screen < 4 || bare > .5 {
		t.Errorf("a screen varies by %.2f, the picture itself by %.2f levels", screen, bare)
	}
}

func TestAMaskHasHolesForTheEyes(t *testing.T) {
	t.Parallel()
	p := newPicture(100, 120)
	m := &mask{paper: p, eyes: [2]Point{{35, 50}, {65, 50}}, mid: Point{50, 62}, scale: 100, eye: 30, ink: 1}
	for _, e := range m.eyes {
		if _, alpha := m.at((e.X-m.mid.X)/m.scale, (e.Y-m.mid.Y)/m.scale); alpha != 0 {
			t.Error("paper over an eye")
		}
	}
	if _, alpha := m.at(0, .05); alpha != 1 {
		t.Error("no paper over the nose")
	}
	if _, alpha := m.at(.49, .5); alpha != 0 {
		t.Error("the mask has no edge")
	}
}

func TestEffectsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	p, q := newPicture(96, 64), newPicture(96, 64)
	for y := range p.h {
		for x := range p.w {
			p.set(x, y, rgb{float64(40 + (x/8%2)*120), 100, 160})
		}
	}
	q.affine(p, 1, 0, 0, 0)
	if !bytes.Equal(p.pix, q.pix) {
		t.Error("no movement changes the picture")
	}
	q.affine(p, 1, 0, 8, 0)
	if q.pix[4*(10*q.w+40)] != p.pix[4*(10*p.w+32)] {
		t.Error("a shift of eight pixels is not one")
	}
	q.copyFrom(p)
	q.apply(newTone(2, 1, 1, 0))
	if q.pix[1] != 200 || q.pix[2] != 255 {
		t.Errorf("gain 2 gives %v", q.pix[:3])
	}
	q.copyFrom(p)
	q.noise(2, newTable(NewRandom(1)), NewRandom(2))
	mean, square := 0.0, 0.0
	for i := range p.w * p.h {
		d := float64(q.pix[4*i+1]) - 100
		mean, square = mean+d, square+d*d
	}
	n := float64(p.w * p.h)
	if sd := math.Sqrt(square / n); math.Abs(mean/n) > .6 || sd < 1.2 || sd > 3.2 {
		t.Errorf("noise of sigma 2 has mean %.2f and deviation %.2f", mean/n, sd)
	}
	q.copyFrom(p)
	q.blur(4, &picture{})
	if a, b := q.pix[4*(30*q.w+44)], q.pix[4*(30*q.w+52)]; max(a, b)-min(a, b) > 60 {
		t.Errorf("stripes of 120 levels keep %d after a blur", max(a, b)-min(a, b))
	}
	mixed := newPicture(2, 1)
	mixed.set(0, 0, rgb{100, 0, 0})
	other := newPicture(2, 1)
	other.set(0, 0, rgb{200, 0, 0})
	if mixed.mix(other, .5); mixed.pix[0] != 150 {
		t.Errorf("the mean of 100 and 200 is %d", mixed.pix[0])
	}
}

func TestDecodingTakesColour(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for y := range 32 {
		for x := range 32 {
			img.Set(x, y, color.RGBA{200, 60, 30, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	var p picture
	if err := p.decode(b.Bytes()); err != nil || p.pix[0] < 190 || p.pix[1] > 70 || p.pix[2] > 45 {
		t.Errorf("%v, %v", err, p.pix[:3])
	}
	for name, data := range map[string][]byte{"nothing": nil, "cut short": b.Bytes()[:200], "tiny": greyJPEG(t, 4, 4, 9)} {
		if p.decode(data) == nil {
			t.Errorf("%s passes", name)
		}
	}
}
