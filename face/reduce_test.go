package face

import (
	"image"
	"math"
	"testing"
)

// A picture reduced in place is the one of means, whatever its size and chroma, and
// nothing of the larger one stays behind it.
func TestAReducedPictureIsOfMeans(t *testing.T) {
	t.Parallel()
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio444} {
		for k := 2; k <= 5; k++ {
			var p picture
			img := image.NewYCbCr(image.Rect(0, 0, 123, 101), ratio)
			for i := range img.Y {
				img.Y[i] = byte(i * 7)
			}
			for i := range img.Cb {
				img.Cb[i], img.Cr[i] = 90, 170
			}
			if err := p.fromImage(img); err != nil {
				t.Fatal(err)
			}
			p.reduce(k)
			if p.w != 123/k || p.h != 101/k || len(p.y) != p.w*p.h || len(p.cb) != p.cw*p.ch || len(p.cr) != len(p.cb) {
				t.Fatalf("by %d: %d x %d, planes of %d, %d and %d", k, p.w, p.h, len(p.y), len(p.cb), len(p.cr))
			}
			for y := range p.h {
				for x := range p.w {
					sum := 0.
					for v := range k {
						for u := range k {
							sum += float64(img.Y[(y*k+v)*img.YStride+x*k+u])
						}
					}
					if got := float64(p.y[y*p.w+x]); math.Abs(got-sum/float64(k*k)) > .5 {
						t.Fatalf("by %d at %d, %d: %v, want %v", k, x, y, got, sum/float64(k*k))
					}
				}
			}
			for i, v := range p.cb {
				if v != 90 || p.cr[i] != 170 {
					t.Fatalf("by %d: chroma %d, %d", k, v, p.cr[i])
				}
			}
			for _, plane := range [][]byte{p.y, p.cb, p.cr} {
				for _, v := range plane[len(plane):cap(plane)] {
					if v != 0 {
						t.Fatalf("by %d: a sample is left", k)
					}
				}
			}
		}
	}
}

// Where the crop's pixels are wider than the picture's, they are means: the noise of
// single pixels is halved at two by two, and a raster has gone. Where they are not,
// they are the picture's.
func TestACropAveragesWhatItWouldSkip(t *testing.T) {
	t.Parallel()
	spread := func(scale float32) float64 {
		var p picture
		img := image.NewYCbCr(image.Rect(0, 0, 640, 640), image.YCbCrSubsampleRatio420)
		for y := range 640 {
			for x := range 640 {
				img.Y[y*img.YStride+x] = byte(100 + 100*((x+y)%2)) // a raster of single pixels
			}
		}
		for i := range img.Cb {
			img.Cb[i], img.Cr[i] = 128, 128
		}
		if err := p.fromImage(img); err != nil {
			t.Fatal(err)
		}
		var m mesh
		for i, at := range arcFacePoints() {
			for _, index := range [][]int{{ptOuterEyeL, ptInnerEyeL}, {ptOuterEyeR, ptInnerEyeR}, {ptNoseTip}, {ptMouthL}, {ptMouthR}}[i] {
				m.points[index] = point3{x: 20 + scale*at.x, y: 20 + scale*at.y}
			}
		}
		var a alignedFace
		p.align(&m, &a)
		if len(a.pixels) != 3*alignedSize*alignedSize || !a.ok {
			t.Fatalf("%d numbers", len(a.pixels))
		}
		for _, v := range a.pixels[len(a.pixels):cap(a.pixels)] {
			if v != 0 {
				t.Fatal("points are left")
			}
		}
		sum := 0.
		for _, v := range a.pixels {
			sum += math.Abs(float64(v) - 150)
		}
		return sum / float64(len(a.pixels))
	}
	if v := spread(1); v < 40 {
		t.Errorf("at the crop's own size the raster must stay: %.1f levels", v)
	}
	for _, scale := range []float32{2, 3, 4} {
		if v := spread(scale); v > 6 { // nine pixels are five of one kind
			t.Errorf("at %v times its size the raster must be averaged: %.1f levels", scale, v)
		}
	}
}
