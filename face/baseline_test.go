package face

import (
	"bytes"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

func somePictures(t testing.TB) map[string][]byte {
	t.Helper()
	found := map[string][]byte{"small": encode(t, corners(33, 17))}
	for _, pattern := range []string{"testdata/jpeg/4*.jpg", "../testdata/people/people/p0[1-5]/portrait.jpg", "../testdata/people/people/p02/live/frame_000*.jpg", "../testdata/people/attacks/screen_p05/frame_001*.jpg"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Base(name)] = b
		}
	}
	return found
}

// The decoder agrees with image/jpeg to within the rounding of the transform.
func TestBaselineAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	for name, data := range somePictures(t) {
		var got, want picture
		if err := got.decoder.decode(&got, data); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := want.decodeOther(data); err != nil {
			t.Fatal(err)
		}
		if got.w != want.w || got.h != want.h || got.sx != want.sx || got.sy != want.sy {
			t.Errorf("%s: %d x %d, %d %d; want %d x %d, %d %d", name, got.w, got.h, got.sx, got.sy, want.w, want.h, want.sx, want.sy)
			continue
		}
		for i, pair := range [][2][]byte{{got.y, want.y}, {got.cb, want.cb}, {got.cr, want.cr}} {
			if d := furthest(pair[0], pair[1]); d > 2 {
				t.Errorf("%s: plane %d is off by %d", name, i, d)
			}
		}
	}
}

func furthest(a, b []byte) int {
	most := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		most = max(most, d, -d)
	}
	return most
}

func TestBaselineLeavesTheRestToTheLibrary(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"progressive.jpg", "cmyk.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", "jpeg", name))
		if err != nil {
			t.Fatal(err)
		}
		var p picture
		if err := p.decoder.decode(&p, data); !errors.Is(err, errOtherJPEG) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Wherever a file is cut, the decoder says so.
func TestBaselineCutAnywhere(t *testing.T) {
	t.Parallel()
	data := encode(t, corners(200, 160))
	var p picture
	for n := 4; n < len(data)-4; n += 7 {
		if err := p.decoder.decode(&p, data[:n]); err == nil {
			t.Fatalf("cut after %d of %d bytes: no error", n, len(data))
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	data := somePictures(t)["frame_0001.jpg"]
	var p picture
	if err := p.decode(data, frameLimits()); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(25, func() { _ = p.decode(data, frameLimits()) }); n > 0 {
		t.Errorf("%.0f allocations a frame", n)
	}
}

// Whatever both decode, they decode alike.
func FuzzBaseline(f *testing.F) {
	f.Add(encode(f, corners(40, 24)))
	for _, name := range []string{"420.jpg", "422.jpg", "444.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", "jpeg", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := readHeader(data)
		if err != nil || head.width == 0 || head.height == 0 || head.width*head.height > 1<<18 {
			return
		}
		var p picture
		if p.decoder.decode(&p, data) != nil {
			return
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err == nil && (cfg.Width != p.w || cfg.Height != p.h) {
			t.Fatalf("%d x %d, the library says %d x %d", p.w, p.h, cfg.Width, cfg.Height)
		}
		if len(p.y) != p.w*p.h || len(p.cb) != p.cw*p.ch {
			t.Fatal("planes do not fit")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := somePictures(b)["frame_0001.jpg"]
	var p picture
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := p.decode(data, frameLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeLibrary(b *testing.B) {
	data := somePictures(b)["frame_0001.jpg"]
	var p picture
	b.ReportAllocs()
	for b.Loop() {
		if err := p.decodeOther(data); err != nil {
			b.Fatal(err)
		}
	}
}
