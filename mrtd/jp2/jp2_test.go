package jp2

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoder(t testing.TB, cfg Config) *Decoder {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute // of a busy machine
	}
	d, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(context.Background()) })
	return d
}

func TestModuleIsTheOneNamed(t *testing.T) {
	t.Parallel()
	if sum := sha256.Sum256(module); hex.EncodeToString(sum[:]) != ModuleSHA256 {
		t.Errorf("module is %x", sum)
	}
}

func TestDecodesWhatOpenJPEGDecodes(t *testing.T) {
	t.Parallel()
	d := decoder(t, Config{})
	want, err := png.Decode(bytes.NewReader(read(t, "portrait.png")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"portrait.jp2", "portrait.j2k"} {
		img, err := d.Decode(context.Background(), read(t, name))
		if err != nil {
			t.Fatal(name, err)
		}
		if img.Bounds() != want.Bounds() {
			t.Fatalf("%s: %v", name, img.Bounds())
		}
		if worst := difference(img, want); worst > 2 {
			t.Errorf("%s: samples differ by up to %d", name, worst)
		}
	}
	grey, err := d.Decode(context.Background(), read(t, "grey.jp2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := grey.(*image.Gray); !ok {
		t.Errorf("a grey image became %T", grey)
	}
}

func difference(a, b image.Image) int {
	worst := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, pair := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}} {
				d := int(pair[0]>>8) - int(pair[1]>>8)
				worst = max(worst, d, -d)
			}
		}
	}
	return worst
}

func TestJPEGOfAPortraitDecodes(t *testing.T) {
	t.Parallel()
	b, err := decoder(t, Config{}).JPEG(context.Background(), read(t, "portrait.jp2"))
	if err != nil {
		t.Fatal(err)
	}
	if size, err := jpeg.DecodeConfig(bytes.NewReader(b.Reveal())); err != nil || size.Width != 120 || size.Height != 150 {
		t.Errorf("%+v %v", size, err)
	}
}

func TestHostileImagesAreRefused(t *testing.T) {
	t.Parallel()
	d := decoder(t, Config{})
	good := read(t, "portrait.j2k")
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
	tiny := change(24, 1)
	binary.BigEndian.PutUint32(tiny[28:], 1)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":           {nil, ErrFormat},
		"JPEG":            {[]byte{0xFF, 0xD8, 0xFF, 0xE0}, ErrFormat},
		"header alone":    {good[:20], ErrFormat},
		"no width":        {change(8, 0), ErrFormat},
		"too wide":        {change(8, 1<<30), ErrLimit},
		"many tiles":      {tiny, ErrLimit},
		"too long":        {append(bytes.Clone(good), make([]byte, MaxEncoded)...), ErrLimit},
		"cut in the head": {good[:100], ErrDecode},
	} {
		if _, err := d.Decode(context.Background(), c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestTheSandboxIsGivenNoMoreThanItMayHave calls the functions that the module imports
// as a hostile module would: out of its memory, beyond the image, for too much.
func TestTheSandboxIsGivenNoMoreThanItMayHave(t *testing.T) {
	t.Parallel()
	d := decoder(t, Config{})
	m, err := d.runtime.InstantiateModule(t.Context(), d.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("j"))
	if err != nil {
		t.Fatal(err)
	}
	const at = 1 << 16
	for i, v := range []int32{-5, 7, 300, 1 << 30} { // samples of 32 bits
		m.Memory().WriteUint32Le(uint32(at+4*i), uint32(v))
	}
	end := m.Memory().Size()
	for name, c := range map[string]struct {
		call func(ctx context.Context)
		want []byte // nil where the call must fail
	}{
		"one component":          {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 0, 1, 4) }, []byte{0, 7, 255, 255}},
		"every other":            {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 1, 2, 2) }, []byte{0, 0, 0, 7}},
		"the whole image":        {func(ctx context.Context) { setImageData(ctx, m, at+4, 2) }, []byte{7, 0}},
		"too many pixels":        {func(ctx context.Context) { initPixels(ctx, 17) }, nil},
		"beyond the pixels":      {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 1, 1, 4) }, nil},
		"beyond them by strides": {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 0, 1<<31, 3) }, nil},
		"no stride":              {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 0, 0, 4) }, nil},
		"nothing to copy":        {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 0, 1, 0) }, nil},
		"without pixels":         {func(ctx context.Context) { copyComponent(ctx, m, at, 0, 1, 1) }, nil},
		"beyond the memory":      {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, end-8, 0, 1, 4) }, nil},
		"a count that wraps":     {func(ctx context.Context) { initPixels(ctx, 4); copyComponent(ctx, m, at, 0, 1, 1<<30) }, nil},
		"image beyond memory":    {func(ctx context.Context) { setImageData(ctx, m, end-1, 2) }, nil},
		"image beyond the limit": {func(ctx context.Context) { setImageData(ctx, m, 0, 17) }, nil},
	} {
		s := &decoding{limit: 16}
		c.call(context.WithValue(t.Context(), decodingKey{}, s))
		if s.failed != (c.want == nil) || c.want != nil && !bytes.Equal(s.pixels, c.want) {
			t.Errorf("%s: failed %v, % x", name, s.failed, s.pixels)
		}
	}
	if resize(t.Context(), m, end) != 1 || resize(t.Context(), m, 1<<31) != 0 || resize(t.Context(), m, end+1) != 1 || m.Memory().Size() != end+pageSize {
		t.Error("the memory does not grow as it may")
	}
	if writeNothing(m, at) != 0 {
		t.Error("a message of the decoder is kept")
	}
}

func TestTimeAndMemoryAreBounded(t *testing.T) {
	t.Parallel()
	slow := decoder(t, Config{Timeout: time.Nanosecond})
	if _, err := slow.Decode(context.Background(), read(t, "portrait.jp2")); err == nil {
		t.Error("decoded in no time")
	}
	if _, err := New(context.Background(), Config{MaxMemory: 1}); err == nil {
		t.Error("a decoder without memory")
	}
}

func TestImagesAreDecodedConcurrently(t *testing.T) {
	t.Parallel()
	d := decoder(t, Config{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := d.Decode(context.Background(), read(t, "portrait.jp2")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	d := decoder(f, Config{MaxMemory: 32 << 20, Timeout: time.Second})
	for _, name := range []string{"portrait.jp2", "portrait.j2k", "grey.jp2"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		size, sizeErr := ParseSize(b)
		img, err := d.Decode(context.Background(), b)
		if err != nil {
			return
		}
		if sizeErr != nil || img.Bounds().Dx() != size.Width || img.Bounds().Dy() != size.Height {
			t.Fatal("an image of another size than announced")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := decoder(b, Config{})
	data := read(b, "portrait.jp2")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(context.Background(), data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		d, err := New(context.Background(), Config{})
		if err != nil {
			b.Fatal(err)
		}
		_ = d.Close(context.Background())
	}
}
