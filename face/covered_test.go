package face_test

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"testing"

	"ipse/face"
)

// cover paints something over the face of a picture: what hides it is made up, what
// it hides is where the mesh says.
func cover(t testing.TB, data []byte, with string) []byte {
	t.Helper()
	points, err := engine(t).Landmarks(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	img := decodeJPEG(t, data)
	c := &coverer{img: img, points: points[:]}
	eyes := c.between(33, 263)
	skin := img.RGBAAt(int(points[50][0]), int(points[50][1]))
	switch with {
	case "dark glasses":
		for _, eye := range [][2]int{{33, 133}, {362, 263}} {
			c.ellipse(c.middle(eye[0], eye[1]), .3*eyes, .22*eyes, flat(color.RGBA{24, 22, 26, 255}))
		}
		c.ellipse(c.middle(33, 263), .2*eyes, .04*eyes, flat(color.RGBA{20, 20, 20, 255}))
	case "white mask", "blue mask", "black mask":
		shade := map[string]color.RGBA{"white mask": {226, 228, 230, 255}, "blue mask": {120, 170, 205, 255}, "black mask": {32, 32, 34, 255}}[with]
		c.polygon([]int{195, 118, 117, 234, 93, 132, 58, 172, 150, 152, 379, 397, 288, 361, 323, 454, 346, 347}, cloth(shade))
	case "hand over the mouth":
		c.ellipse(c.middle(2, 17), .62*eyes, .36*eyes, hand(skin))
	case "hand over an eye":
		c.ellipse(c.middle(33, 133), .34*eyes, .30*eyes, hand(skin))
	default:
		t.Fatal(with)
	}
	return encodeJPEG(t, img)
}

type coverer struct {
	img    *image.RGBA
	points [][2]float32
}

func (c *coverer) middle(i, j int) (m [2]float64) {
	for k := range m {
		m[k] = float64(c.points[i][k]+c.points[j][k]) / 2
	}
	return m
}

func (c *coverer) between(i, j int) float64 {
	a, b := c.points[i], c.points[j]
	return math.Hypot(float64(a[0]-b[0]), float64(a[1]-b[1]))
}

type paint func(x, y int) color.RGBA

func flat(shade color.RGBA) paint { return func(int, int) color.RGBA { return shade } }

// cloth has folds.
func cloth(shade color.RGBA) paint {
	return func(_, y int) color.RGBA { return times(shade, 1+.06*math.Sin(float64(y)/7)) }
}

// hand has the colour of the cheek, rounded fingers and a little noise.
func hand(skin color.RGBA) paint {
	return func(x, y int) color.RGBA {
		noise := float64((x*7919+y*104729)%13)/13 - .5
		return times(skin, 1-.12*math.Pow(math.Abs(math.Sin(float64(y)/14)), 6)+.03*noise)
	}
}

func times(c color.RGBA, f float64) color.RGBA {
	return color.RGBA{clampInt(int(float64(c.R) * f)), clampInt(int(float64(c.G) * f)), clampInt(int(float64(c.B) * f)), 255}
}

func (c *coverer) ellipse(at [2]float64, rx, ry float64, p paint) {
	for y := int(at[1] - ry); y <= int(at[1]+ry); y++ {
		for x := int(at[0] - rx); x <= int(at[0]+rx); x++ {
			dx, dy := (float64(x)-at[0])/rx, (float64(y)-at[1])/ry
			if dx*dx+dy*dy <= 1 {
				c.img.SetRGBA(x, y, p(x, y))
			}
		}
	}
}

// polygon fills the outline of mesh points (even-odd rule).
func (c *coverer) polygon(outline []int, p paint) {
	b := c.img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			in := false
			for i, j := 0, len(outline)-1; i < len(outline); j, i = i, i+1 {
				a, q := c.points[outline[i]], c.points[outline[j]]
				if (a[1] > float32(y)) != (q[1] > float32(y)) && float32(x) < (q[0]-a[0])*(float32(y)-a[1])/(q[1]-a[1])+a[0] {
					in = !in
				}
			}
			if in {
				c.img.SetRGBA(x, y, p(x, y))
			}
		}
	}
}

// Whatever hides eyes or mouth is noticed, in a photograph and in a frame; closed
// eyes, a smile, side light or a soft picture hide nothing.
func TestACoveredFaceIsNoticed(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, p := range some(livePeople(t), 2) {
		s := live(t, p)
		pictures := map[string][]byte{"portrait": portrait(t, p), "frame": s.jpeg[2]}
		for name, picture := range pictures {
			for _, with := range []string{"dark glasses", "white mask", "blue mask", "black mask", "hand over the mouth", "hand over an eye"} {
				if reasons := photographed(t, cover(t, picture, with)); !slices.Contains(reasons, face.QualityCovered) {
					t.Errorf("%s, %s, %s: %v", p, name, with, reasons)
				}
			}
			for with, change := range map[string]func() []byte{
				"nothing": func() []byte { return picture }, "soft": func() []byte { return blur(t, picture, 1) },
				"grey": func() []byte { return grey(t, picture) }, "half the size": func() []byte { return shrink(t, picture, 2) },
				"side light": func() []byte { return sideLit(t, picture) },
			} {
				if reasons := photographed(t, change()); slices.Contains(reasons, face.QualityCovered) {
					t.Errorf("%s, %s, %s: %v", p, name, with, reasons)
				}
			}
		}
		m, err := e.Measure(t.Context(), cover(t, s.jpeg[2], "white mask"), false)
		if err != nil || m.Hint != face.HintUncoverFace {
			t.Errorf("%s: hint %q, %v", p, m.Hint, err)
		}
		for i := 0; i < len(s.jpeg); i += 3 {
			if m, err := e.Measure(t.Context(), s.jpeg[i], false); err != nil || m.Hint == face.HintUncoverFace {
				t.Errorf("%s, frame %d: hint %q, %v", p, i+1, m.Hint, err)
			}
		}
	}
}

// Closed eyes are told (of most people: absolute lid openings differ), open ones
// are not; whoever blinks in a photograph is compared all the same.
func TestClosedEyesAreTold(t *testing.T) {
	t.Parallel()
	people, told := some(livePeople(t), 2), 0
	for _, p := range people {
		s := live(t, p)
		closed := slices.IndexFunc(s.Frames, func(f truthFrame) bool { return f.EyesClosed > .95 })
		open := slices.IndexFunc(s.Frames, func(f truthFrame) bool { return f.EyesClosed == 0 })
		for _, frame := range []int{closed, open} {
			r, err := engine(t).Compare(t.Context(), s.jpeg[frame], portrait(t, p))
			shut := slices.Contains(r.A.Reasons, face.QualityEyesClosed)
			if err != nil || !r.Compared || !r.Match || shut && frame == open {
				t.Errorf("%s, frame %d: %+v, %v", p, frame+1, r, err)
			}
			if shut {
				told++
			}
		}
	}
	if told*4 < len(people)*3 {
		t.Errorf("closed eyes are told of %d people of %d", told, len(people))
	}
}

func photographed(t *testing.T, picture []byte) []face.QualityReason {
	t.Helper()
	r, err := engine(t).Compare(t.Context(), picture, picture)
	if err != nil {
		t.Fatal(err)
	}
	return r.A.Reasons
}

func grey(t *testing.T, data []byte) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	out := image.NewGray(img.Bounds())
	draw.Draw(out, out.Bounds(), img, image.Point{}, draw.Src)
	return encodeJPEG(t, out)
}

// sideLit leaves an eighth of the light on one half of the picture.
func sideLit(t *testing.T, data []byte) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	w := img.Bounds().Dx()
	for i := range img.Pix {
		if i%4 != 3 {
			x := float64(i/4%w) / float64(w)
			img.Pix[i] = uint8(float64(img.Pix[i]) * min(max(5*(x-.4), .125), 1))
		}
	}
	return encodeJPEG(t, img)
}
