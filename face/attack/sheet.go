package attack

import "math"

// focal is the focal length of the pinhole camera over the picture's width: a
// horizontal field of view of 49 degrees, as webcams and phones have.
const focal = 1.1

// sheet is a flat or cylindrical surface in space. Its own coordinates are
// arc lengths from its centre: s to the right, v downwards, in widths of the picture
// at distance 1.
type sheet struct {
	x, y, z   float64 // centre; z is the distance, 1 or about
	pose      Pose
	bend      float64 // curvature around the vertical axis, 1/radius; 0 flat, > 0 bulges towards the camera
	halfWidth float64
	halfHigh  float64
}

// skin gives the colour and the opacity (0..1) at a place of a sheet.
type skin interface {
	at(s, v float64) (rgb, float64)
}

// axes are the sheet's right, down and away from the camera, in space. Yaw > 0
// turns the front to the image's right, pitch > 0 up, roll > 0 clockwise.
type axes [3][3]float64

func (p Pose) axes() axes {
	sy, cy := math.Sincos(p.Yaw * math.Pi / 180)
	sp, cp := math.Sincos(p.Pitch * math.Pi / 180)
	sr, cr := math.Sincos(p.Roll * math.Pi / 180)
	turn := func(v [3]float64) [3]float64 { // roll, then pitch, then yaw
		x, y, z := cr*v[0]-sr*v[1], sr*v[0]+cr*v[1], v[2]
		y, z = cp*y+sp*z, -sp*y+cp*z
		return [3]float64{cy*x - sy*z, y, sy*x + cy*z}
	}
	return axes{turn([3]float64{1, 0, 0}), turn([3]float64{0, 1, 0}), turn([3]float64{0, 0, 1})}
}

// local turns a vector of space into the sheet's frame.
func (a *axes) local(v [3]float64) [3]float64 {
	var out [3]float64
	for i := range out {
		out[i] = a[i][0]*v[0] + a[i][1]*v[1] + a[i][2]*v[2]
	}
	return out
}

// hit follows the ray o + t d, in the sheet's frame, to the surface.
func (s *sheet) hit(o, d [3]float64) (arc, v float64, ok bool) {
	var t float64
	if s.bend == 0 {
		if d[2] < 1e-6 {
			return 0, 0, false // from behind
		}
		t = -o[2] / d[2]
		return o[0] + t*d[0], o[1] + t*d[1], t > 0
	}
	r := 1 / s.bend
	oz := o[2] - r
	a, b, c := d[0]*d[0]+d[2]*d[2], o[0]*d[0]+oz*d[2], o[0]*o[0]+oz*oz-r*r
	root := b*b - a*c
	if root < 0 || a == 0 {
		return 0, 0, false
	}
	t = (-b - math.Copysign(math.Sqrt(root), r)) / a
	x, z := o[0]+t*d[0], o[2]+t*d[2]
	arc = r * math.Atan2(x*math.Copysign(1, r), math.Abs(r)-z*math.Copysign(1, r))
	return arc, o[1] + t*d[1], t > 0 && math.Abs(arc) < math.Abs(r)*math.Pi/2
}

// project is where a place of the sheet lies in a picture of w x h.
func (s *sheet) project(arc, v float64, w, h int) (float64, float64) {
	p := [3]float64{arc, v, 0}
	if s.bend != 0 {
		r := 1 / s.bend
		sin, cos := math.Sincos(arc / r)
		p[0], p[2] = r*sin, r*(1-cos)
	}
	a := s.pose.axes()
	q := [3]float64{s.x, s.y, s.z * focal}
	for i := range p {
		for k := range q {
			q[k] += a[i][k] * p[i]
		}
	}
	f := focal * float64(w) / q[2]
	return float64(w)/2 + q[0]*f, float64(h)/2 + q[1]*f
}

// bounds of the sheet in a picture, a pixel more on each side.
func (s *sheet) bounds(w, h int) (x0, y0, x1, y1 int) {
	lowX, lowY, highX, highY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := -4; i <= 4; i++ {
		for _, v := range []float64{-s.halfHigh, 0, s.halfHigh} {
			x, y := s.project(float64(i)/4*s.halfWidth, v, w, h)
			lowX, highX, lowY, highY = min(lowX, x), max(highX, x), min(lowY, y), max(highY, y)
		}
	}
	return max(int(lowX)-2, 0), max(int(lowY)-2, 0), min(int(highX)+3, w), min(int(highY)+3, h)
}

// shade is how much of the light a pose returns: light from above in front, from
// the camera's left, and a little from everywhere.
func (p Pose) shade() float64 {
	a := p.axes()
	n := [3]float64{-a[2][0], -a[2][1], -a[2][2]}
	return .55 + .45*max(0, -.3*n[0]-.4*n[1]-.866*n[2])/.95
}

// draw lays the sheet with its skin over the picture.
func (s *sheet) draw(dst *picture, k skin) {
	a := s.pose.axes()
	o := a.local([3]float64{-s.x, -s.y, -s.z * focal})
	gain := s.pose.shade()
	x0, y0, x1, y1 := s.bounds(dst.w, dst.h)
	f := focal * float64(dst.w)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			d := a.local([3]float64{(float64(x) - float64(dst.w)/2) / f, (float64(y) - float64(dst.h)/2) / f, 1})
			arc, v, ok := s.hit(o, d)
			if !ok || math.Abs(arc) > s.halfWidth || math.Abs(v) > s.halfHigh {
				continue
			}
			c, alpha := k.at(arc, v)
			if alpha <= 0 {
				continue
			}
			light := gain
			if s.bend != 0 { // the sides of a bent sheet turn away from the light
				light *= 1 - .35*math.Abs(math.Sin(arc*s.bend))
			}
			dst.over(x, y, rgb{c[0] * light, c[1] * light, c[2] * light}, alpha)
		}
	}
}

// paper is a printed picture: a border, the ink's narrower range, a raster and
// fibres, perhaps gloss.
type paper struct {
	image             *picture
	halfWidth, halfUp float64 // of the whole sheet
	border            float64
	contrast, lift    float64 // ink: out = lift + contrast * in
	raster            float64 // amplitude of the halftone, levels
	pitch             float64 // of the halftone, sheet units
	fibre             *table
	gloss             float64 // of a highlight, levels
	glossAt           Point   // its place on the sheet
}

// at implements skin.
func (p *paper) at(s, v float64) (rgb, float64) {
	w, h := p.halfWidth-p.border, p.halfUp-p.border
	c := rgb{238, 238, 234}
	if math.Abs(s) < w && math.Abs(v) < h {
		c = p.image.at((s/w+1)/2*float64(p.image.w-1), (v/h+1)/2*float64(p.image.h-1))
		grey := .3*c[0] + .59*c[1] + .11*c[2]
		wave := 0.0
		if p.raster > 0 {
			wave = p.raster * math.Sin(2*math.Pi*(s+v)/p.pitch) * math.Sin(2*math.Pi*(s-v)/p.pitch)
		}
		for k := range c {
			c[k] = p.lift + p.contrast*(.88*c[k]+.12*grey) + wave
		}
	}
	n := float64(p.fibre[(int((s+1)*900)*61+int((v+1)*900))&4095]) / 24
	if p.gloss > 0 {
		dx, dy := s-p.glossAt.X, v-p.glossAt.Y
		n += p.gloss * math.Exp(-(dx*dx*60 + dy*dy*25))
	}
	return rgb{c[0] + n, c[1] + n, c[2] + n}, 1
}

// mask is a face cut out of paper, with holes for the eyes. Its unit of length is
// that of the sheet; the picture is placed by its anchor.
type mask struct {
	paper *picture
	eyes  [2]Point // in the picture
	mid   Point    // between the eyes and the mouth, the sheet's centre
	scale float64  // pixels of the picture for a unit of the sheet
	eye   float64  // distance of the eyes, pixels
	ink   float64
}

// at implements skin.
func (m *mask) at(s, v float64) (rgb, float64) {
	x, y := m.mid.X+s*m.scale, m.mid.Y+v*m.scale
	dx, dy := (x-m.mid.X)/(1.12*m.eye), (y-m.mid.Y+.05*m.eye)/(1.52*m.eye)
	if dx*dx+dy*dy > 1 {
		return rgb{}, 0
	}
	for _, e := range m.eyes {
		ex, ey := (x-e.X)/(.27*m.eye), (y-e.Y)/(.15*m.eye)
		if ex*ex+ey*ey < 1 {
			return rgb{}, 0
		}
	}
	c := m.paper.at(x, y)
	for k := range c {
		c[k] = 14 + m.ink*c[k]
	}
	return c, 1
}
