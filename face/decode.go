package face

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// Errors of decoding. They are stable and carry no data.
var (
	ErrNotJPEG    = errors.New("face: not a JPEG image")
	ErrImageSize  = errors.New("face: the image is too small or too large")
	ErrImageBytes = errors.New("face: the file is too large")
	ErrBadJPEG    = errors.New("face: the JPEG image is damaged")
)

// limits bounds what is decoded; the size is read from the header before any
// pixel is, so a small file that claims a huge picture costs nothing.
type limits struct {
	maxBytes         int
	minSide, maxSide int // pixels
	maxPixels        int
	orient           bool // obey the EXIF orientation
}

// frameLimits is for camera frames, portraitLimits for photographs.
func frameLimits() limits {
	return limits{maxBytes: 400 << 10, minSide: 120, maxSide: 1280, maxPixels: 1280 * 960}
}

func portraitLimits() limits {
	return limits{maxBytes: 10 << 20, minSide: 48, maxSide: 6000, maxPixels: 24 << 20, orient: true}
}

// decode reads a JPEG into p.
func (p *picture) decode(data []byte, lim limits) error {
	if len(data) > lim.maxBytes {
		return ErrImageBytes
	}
	head, err := readHeader(data)
	if err != nil {
		return err
	}
	w, h := head.width, head.height
	if min(w, h) < lim.minSide || max(w, h) > lim.maxSide || w*h > lim.maxPixels {
		return ErrImageSize
	}
	err = p.decoder.decode(p, data)
	if errors.Is(err, errOtherJPEG) {
		err = p.decodeOther(data)
	}
	if err != nil {
		return err
	}
	if lim.orient {
		p.orient(head.orientation)
	}
	return nil
}

// decodeOther leaves progressive, CMYK and other unusual files to image/jpeg.
func (p *picture) decodeOther(data []byte) error {
	img, err := jpeg.Decode(&sips{data})
	if err != nil {
		return ErrBadJPEG
	}
	defer wipeImage(img)
	return p.fromImage(img)
}

// sips gives a file out in sips, so that the decoder's own buffer, which nobody
// can wipe, never holds more than one.
type sips struct{ data []byte }

// Read implements io.Reader.
func (s *sips) Read(b []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 16)], s.data)
	s.data = s.data[n:]
	return n, nil
}

// jpegHeader is what is known before decoding.
type jpegHeader struct {
	width, height int
	components    int
	progressive   bool
	orientation   int // EXIF 1..8
}

// readHeader walks the marker segments (ITU-T T.81 Annex B) up to the frame header.
func readHeader(data []byte) (jpegHeader, error) {
	head := jpegHeader{orientation: 1}
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return head, ErrNotJPEG
	}
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xff {
			return head, ErrBadJPEG
		}
		marker := data[i+1]
		if marker == 0xff { // fill byte
			i++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[i+2:]))
		if n < 2 || i+2+n > len(data) {
			return head, ErrBadJPEG
		}
		body := data[i+4 : i+2+n]
		switch {
		case marker == 0xe1:
			head.orientation = exifOrientation(body, head.orientation)
		case marker >= 0xc0 && marker <= 0xc2:
			if len(body) < 6 {
				return head, ErrBadJPEG
			}
			head.height, head.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			head.components, head.progressive = int(body[5]), marker == 0xc2
			return head, nil
		case marker == 0xda || marker == 0xd9:
			return head, ErrBadJPEG
		}
		i += 2 + n
	}
	return head, ErrBadJPEG
}

// exifOrientation finds tag 0x0112 in the first directory (EXIF 2.3 §4.6.4); on
// any doubt it keeps the value it was given.
func exifOrientation(body []byte, otherwise int) int {
	tiff, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 8 {
		return otherwise
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return otherwise
	}
	count := int64(order.Uint16(tiff[at:]))
	for k := range count {
		e := at + 2 + 12*k
		if e+12 > int64(len(tiff)) {
			return otherwise
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := int(order.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return otherwise
		}
	}
	return otherwise
}

// fromImage copies the planes of what image/jpeg returns: YCbCr, Gray or CMYK.
func (p *picture) fromImage(img image.Image) error {
	b := img.Bounds()
	switch src := img.(type) {
	case *image.YCbCr:
		sx, sy, ok := shifts(src.SubsampleRatio)
		if !ok {
			return ErrBadJPEG
		}
		p.reset(b.Dx(), b.Dy(), sx, sy)
		copyPlane(p.y, p.w, p.h, src.Y, src.YStride)
		copyPlane(p.cb, p.cw, p.ch, src.Cb, src.CStride)
		copyPlane(p.cr, p.cw, p.ch, src.Cr, src.CStride)
	case *image.Gray:
		p.reset(b.Dx(), b.Dy(), 1, 1)
		copyPlane(p.y, p.w, p.h, src.Pix, src.Stride)
		fill(p.cb, 128)
		fill(p.cr, 128)
		p.monoTone = true
	default:
		p.reset(b.Dx(), b.Dy(), 0, 0)
		for y := range p.h {
			for x := range p.w {
				r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				i := y*p.w + x
				p.y[i], p.cb[i], p.cr[i] = color.RGBToYCbCr(byte(r>>8), byte(g>>8), byte(bl>>8))
			}
		}
	}
	return nil
}

func shifts(r image.YCbCrSubsampleRatio) (sx, sy uint, ok bool) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 0, 0, true
	case image.YCbCrSubsampleRatio422:
		return 1, 0, true
	case image.YCbCrSubsampleRatio420:
		return 1, 1, true
	case image.YCbCrSubsampleRatio440:
		return 0, 1, true
	case image.YCbCrSubsampleRatio411:
		return 2, 0, true
	case image.YCbCrSubsampleRatio410:
		return 2, 1, true
	}
	return 0, 0, false
}

func copyPlane(dst []byte, w, h int, src []byte, stride int) {
	for y := range h {
		copy(dst[y*w:(y+1)*w], src[y*stride:])
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// wipeImage clears the pixels of an image that image/jpeg allocated.
func wipeImage(img image.Image) {
	switch src := img.(type) {
	case *image.YCbCr:
		clear(src.Y[:cap(src.Y)])
		clear(src.Cb)
		clear(src.Cr)
	case *image.Gray:
		clear(src.Pix)
	case *image.RGBA:
		clear(src.Pix)
	case *image.CMYK:
		clear(src.Pix)
	}
}

// orient turns the picture upright after EXIF orientation o (1..8).
func (p *picture) orient(o int) {
	if o <= 1 || o > 8 {
		return
	}
	p.y = orientPlane(p.y, p.w, p.h, o)
	p.cb = orientPlane(p.cb, p.cw, p.ch, o)
	p.cr = orientPlane(p.cr, p.cw, p.ch, o)
	if o >= 5 {
		p.w, p.h, p.cw, p.ch, p.sx, p.sy = p.h, p.w, p.ch, p.cw, p.sy, p.sx
	}
}

func orientPlane(src []byte, w, h, o int) []byte {
	dst := make([]byte, len(src))
	for y := range h {
		for x := range w {
			dx, dy, dw := x, y, w
			switch o {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy, dw = y, x, h
			case 6:
				dx, dy, dw = h-1-y, x, h
			case 7:
				dx, dy, dw = h-1-y, w-1-x, h
			case 8:
				dx, dy, dw = y, w-1-x, h
			}
			dst[dy*dw+dx] = src[y*w+x]
		}
	}
	clear(src)
	return dst
}
