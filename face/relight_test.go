package face

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"slices"
)

// Relight says how a picture is lit anew.
type Relight struct {
	// Screen is the screen's light over the room's, on skin that faces it.
	Screen float64
	// Wall is the same for the background; 0 for a room that is deep enough.
	Wall float64
	// Gains of the camera's white balance.
	Gains [3]float64
	// Mirror is added to what is there, for the screen's white: glass before a face.
	Mirror float64
}

// Relight paints a frame as if a screen of a colour ("#rrggbb") lit it: on skin,
// the light of the room and of the screen add up, the screen's by the cosine of
// the surface's normal, taken from the mesh; the background has its own share.
// The exposure is the camera's: the mean stays.
func (e *Engine) Relight(ctx context.Context, data []byte, hex string, r Relight) (out []byte, err error) {
	err = e.with(ctx, func(k *worker) error {
		if err := k.picture.decode(data, frameLimits()); err != nil {
			return err
		}
		var o observation
		if err := k.observe(&o, detection{}, false); err != nil {
			return err
		}
		out, err = relit(data, &o.mesh, hex, r)
		return err
	})
	return out, err
}

// normals are the z parts of the surface's normals, by a plane through the
// nearest points of the mesh.
func (m *mesh) normals() (z [meshPoints]float64) {
	type near struct {
		i int
		d float64
	}
	for i, p := range m.points {
		var list []near
		for j, q := range m.points {
			d := q.sub(p)
			list = append(list, near{j, float64(d.dot(d))})
		}
		slices.SortFunc(list, func(a, b near) int {
			if a.d < b.d {
				return -1
			}
			return 1
		})
		// Least squares z = a x + b y over the neighbours; the normal is (-a, -b, 1).
		var xx, xy, yy, xz, yz float64
		for _, n := range list[1:16] {
			d := m.points[n.i].sub(p)
			x, y, dz := float64(d.x), float64(d.y), float64(d.z)
			xx, xy, yy, xz, yz = xx+x*x, xy+x*y, yy+y*y, xz+x*dz, yz+y*dz
		}
		det := xx*yy - xy*xy + 1e-6
		a, b := (xz*yy-yz*xy)/det, (yz*xx-xz*xy)/det
		z[i] = 1 / math.Sqrt(1+a*a+b*b)
	}
	return z
}

func relit(data []byte, m *mesh, hex string, r Relight) ([]byte, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	src := image.NewRGBA(img.Bounds())
	draw.Draw(src, src.Bounds(), img, img.Bounds().Min, draw.Src)
	if r.Gains == ([3]float64{}) {
		r.Gains = [3]float64{1, 1, 1}
	}
	linear := linearTable()
	var screen [3]float64
	for i := range 3 {
		screen[i] = linear[unhex(hex[1+2*i])<<4|unhex(hex[2+2*i])]
	}
	z := m.normals()
	left, right, top, bottom := m.bounds()
	// Share of the screen's light, and whether the place is on the face.
	shade := func(x, y float64) (share, face float64) {
		if x < float64(left) || x > float64(right) || y < float64(top) || y > float64(bottom) {
			return r.Wall, 0
		}
		var sum, weight, closest float64 = 0, 0, 1e9
		for i, p := range m.points {
			d := (x-float64(p.x))*(x-float64(p.x)) + (y-float64(p.y))*(y-float64(p.y))
			closest = min(closest, d)
			w := 1 / (d*d + 1)
			sum, weight = sum+w*z[i], weight+w
		}
		edge := min(1, math.Exp((100-closest)/100)) // beyond the outline the head ends
		return r.Wall + (r.Screen-r.Wall)*edge*sum/weight, edge
	}
	b := src.Bounds()
	dst := image.NewRGBA(b)
	const cell = 8 // the light is smooth: one value for a few pixels
	exposure := 1 / (1 + r.Screen/3)
	encode := gammaTable()
	noise := uint32(b.Dx())*31 + uint32(hex[1])*7 + uint32(len(data))
	for y0 := b.Min.Y; y0 < b.Max.Y; y0 += cell {
		for x0 := b.Min.X; x0 < b.Max.X; x0 += cell {
			s, edge := shade(float64(x0)+cell/2, float64(y0)+cell/2)
			for y := y0; y < min(y0+cell, b.Max.Y); y++ {
				for x := x0; x < min(x0+cell, b.Max.X); x++ {
					var px [3]uint8
					c := src.RGBAAt(x, y)
					for i, v := range [3]uint8{c.R, c.G, c.B} {
						noise = noise*1664525 + 1013904223
						grain := float64(noise>>16)/65536*3 - 1.5
						px[i] = uint8(min(max(encode[int(min((linear[v]*(1+s*screen[i])+edge*r.Mirror*screen[i])*exposure*r.Gains[i], 1)*4095)]+grain+.5, 0), 255))
					}
					dst.SetRGBA(x, y, color.RGBA{px[0], px[1], px[2], 255})
				}
			}
		}
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, dst, &jpeg.Options{Quality: 85})
	return out.Bytes(), err
}

func unhex(c byte) uint8 {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// gammaTable is the inverse of linearTable, 4,096 steps.
func gammaTable() (t [4096]float64) {
	for i := range t {
		v := float64(i) / 4095
		if v <= .0031308 {
			t[i] = 255 * v * 12.92
		} else {
			t[i] = 255 * (1.055*math.Pow(v, 1/2.4) - .055)
		}
	}
	return t
}
