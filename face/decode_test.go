package face

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

func encode(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// corners is a picture whose four quadrants differ: red, green, blue, white.
func corners(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{A: 255}
			switch {
			case x < w/2 && y < h/2:
				c.R = 255
			case y < h/2:
				c.G = 255
			case x < w/2:
				c.B = 255
			default:
				c.R, c.G, c.B = 255, 255, 255
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// exif inserts an APP1 segment with an orientation, little or big endian.
func exif(data []byte, orientation uint16, order byteOrder) []byte {
	mark := "MM\x00\x2a"
	if order == byteOrder(binary.LittleEndian) {
		mark = "II\x2a\x00"
	}
	body := append([]byte("Exif\x00\x00"), mark...)
	body = order.AppendUint32(body, 8)
	body = order.AppendUint16(body, 1)
	body = order.AppendUint16(body, 0x0112)
	body = order.AppendUint16(body, 3)
	body = order.AppendUint32(body, 1)
	body = order.AppendUint16(body, orientation)
	body = order.AppendUint16(body, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	segment = append(segment, body...)
	return append(append(bytes.Clone(data[:2]), segment...), data[2:]...)
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := encode(t, corners(640, 480))
	claim := func(w, h uint16) []byte { // a small file that claims a huge picture
		b := bytes.Clone(good)
		i := bytes.Index(b, []byte{0xff, 0xc0})
		binary.BigEndian.PutUint16(b[i+5:], h)
		binary.BigEndian.PutUint16(b[i+7:], w)
		return b
	}
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"empty":             {nil, ErrNotJPEG},
		"text":              {[]byte("not a picture"), ErrNotJPEG},
		"png":               {[]byte("\x89PNG\r\n\x1a\n0000"), ErrNotJPEG},
		"only a start":      {good[:2], ErrNotJPEG},
		"cut in header":     {good[:20], ErrBadJPEG},
		"cut in scan":       {good[:len(good)/2], ErrBadJPEG},
		"one pixel":         {encode(t, corners(1, 1)), ErrImageSize},
		"bomb":              {claim(65535, 65535), ErrImageSize},
		"no height":         {claim(640, 0), ErrImageSize},
		"too many bytes":    {make([]byte, 500<<10), ErrImageBytes},
		"claims a bit more": {claim(648, 480), ErrBadJPEG},
	} {
		var p picture
		if err := p.decode(test.data, frameLimits()); !errors.Is(err, test.want) && (err != nil || name != "claims a bit more") {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// Twenty megapixels are a portrait's limit, not a reason to run out of memory.
func TestDecodeLargePortrait(t *testing.T) {
	t.Parallel()
	var p picture
	if err := p.decode(encode(t, image.NewGray(image.Rect(0, 0, 5000, 4000))), portraitLimits()); err != nil {
		t.Fatal(err)
	}
	if err := p.decode(encode(t, image.NewGray(image.Rect(0, 0, 6001, 100))), portraitLimits()); !errors.Is(err, ErrImageSize) {
		t.Errorf("%v", err)
	}
}

func TestDecodeObeysOrientation(t *testing.T) {
	t.Parallel()
	plain := encode(t, corners(160, 120))
	// Where the red quadrant ends up, for orientations 1 to 8 (EXIF 2.3 §4.6.4).
	right := []bool{false, true, true, false, false, true, true, false}
	bottom := []bool{false, false, true, true, false, false, true, true}
	for o := uint16(1); o <= 8; o++ {
		for _, order := range []byteOrder{binary.BigEndian, binary.LittleEndian} {
			var p picture
			if err := p.decode(exif(plain, o, order), portraitLimits()); err != nil {
				t.Fatal(o, err)
			}
			if turned := o >= 5; turned != (p.h == 160) {
				t.Errorf("orientation %d: %d x %d", o, p.w, p.h)
			}
			x, y := p.w/4, p.h/4
			if right[o-1] {
				x = 3 * p.w / 4
			}
			if bottom[o-1] {
				y = 3 * p.h / 4
			}
			if cr := p.cr[(y>>p.sy)*p.cw+x>>p.sx]; cr < 200 {
				t.Errorf("orientation %d: red is not where it should be (Cr %d)", o, cr)
			}
		}
	}
	// A camera frame says nothing of orientation: it is taken as it is.
	var p picture
	if err := p.decode(exif(plain, 6, binary.BigEndian), frameLimits()); err != nil || p.w != 160 {
		t.Errorf("frame: %v, width %d", err, p.w)
	}
}

func TestDecodeGreyAndProgressiveAndCMYK(t *testing.T) {
	t.Parallel()
	var p picture
	if err := p.decode(encode(t, image.NewGray(image.Rect(0, 0, 240, 320))), portraitLimits()); err != nil || !p.monoTone {
		t.Errorf("grey: %v", err)
	}
	for _, name := range []string{"progressive.jpg", "cmyk.jpg", "420.jpg", "422.jpg", "444.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", "jpeg", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.decode(data, portraitLimits()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// All of them show the same: red in the upper left quadrant.
		x, y := p.w/4, p.h/4
		if cr := p.cr[(y>>p.sy)*p.cw+x>>p.sx]; cr < 200 {
			t.Errorf("%s: Cr %d, want red", name, cr)
		}
	}
}

// A picture's buffers are reused, grown, and end as zeros.
func TestPictureIsReusedAndWiped(t *testing.T) {
	t.Parallel()
	var p picture
	for _, size := range []int{640, 320, 1280} {
		if err := p.decode(encode(t, corners(size, size*3/4)), frameLimits()); err != nil {
			t.Fatal(err)
		}
	}
	p.wipe()
	for _, plane := range [][]byte{p.y, p.cb, p.cr} {
		for _, v := range plane[:cap(plane)] {
			if v != 0 {
				t.Fatal("a sample is left")
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, corners(160, 120)))
	f.Add(exif(encode(f, corners(160, 120)), 6, binary.BigEndian))
	f.Add(encode(f, image.NewGray(image.Rect(0, 0, 200, 200))))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p picture
		lim := portraitLimits()
		lim.maxPixels = 1 << 20
		if err := p.decode(data, lim); err != nil {
			return
		}
		if p.w*p.h > lim.maxPixels || len(p.y) != p.w*p.h || len(p.cb) != p.cw*p.ch || len(p.cr) != len(p.cb) {
			t.Fatalf("planes do not fit %d x %d", p.w, p.h)
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(exif([]byte{0xff, 0xd8}, 3, binary.LittleEndian)[6:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if o := exifOrientation(body, 1); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}
