package jp2

import (
	"bytes"
	"context"
	_ "embed" // the WebAssembly module
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"ipse/internal/pii"
)

//go:embed openjpeg.wasm
var module []byte // embedded, never written

// ModuleSHA256 is the SHA-256 of the embedded module.
const ModuleSHA256 = "7ea4b2b04613370ad4e9c1162da750cc88b4b176eac0d0c164b3caff23fc0a46"

// Config bounds a Decoder.
type Config struct {
	// MaxMemory of one decoding, in octets; default 192 MiB, at least 16 MiB.
	MaxMemory int
	// Timeout of one decoding; default 3 s.
	Timeout time.Duration
}

// Decoder decodes images. The module is compiled once; each image runs in an
// instance of its own. It is safe for concurrent use.
type Decoder struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	timeout  time.Duration
}

const pageSize = 64 << 10

// New compiles the decoder. Close it when done.
func New(ctx context.Context, cfg Config) (*Decoder, error) {
	if cfg.MaxMemory == 0 {
		cfg.MaxMemory = 192 << 20
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 3 * time.Second
	}
	if cfg.MaxMemory < 256*pageSize || cfg.MaxMemory > 1<<30 || cfg.Timeout < 0 {
		return nil, errors.New("jp2: memory or time out of range")
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithMemoryLimitPages(uint32(cfg.MaxMemory/pageSize)).WithCloseOnContextDone(true))
	d := &Decoder{runtime: r, timeout: cfg.Timeout}
	var err error
	if err = d.imports(ctx); err == nil {
		d.compiled, err = r.CompileModule(ctx, module)
	}
	if err != nil {
		return nil, fmt.Errorf("jp2: compile: %w", errors.Join(err, r.Close(ctx)))
	}
	return d, nil
}

// Close frees the compiled module.
func (d *Decoder) Close(ctx context.Context) error { return d.runtime.Close(ctx) }

// decoding is the state of one image, found by the imports through the context.
type decoding struct {
	limit  int
	pixels []byte
	failed bool
}

type decodingKey struct{}

func of(ctx context.Context) *decoding {
	s, _ := ctx.Value(decodingKey{}).(*decoding)
	return s
}

// imports gives the module the eight functions it asks for, under their minified
// names; the comments name them as in pdf.js. Messages of the decoder are
// dropped: they could carry data.
func (d *Decoder) imports(ctx context.Context) error {
	b := d.runtime.NewHostModuleBuilder("a")
	b.NewFunctionBuilder().WithFunc(func(ctx context.Context, _ uint32) { of(ctx).failed = true }).Export("a")                                             // storeErrorMessage
	b.NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, _, _, _, written uint32) uint32 { return writeNothing(m, written) }).Export("b") // fd_write
	b.NewFunctionBuilder().WithFunc(resize).Export("c")                                                                                                    // emscripten_resize_heap
	b.NewFunctionBuilder().WithFunc(func(_ uint32, _ uint64, _, _ uint32) uint32 { return 70 }).Export("d")                                                // fd_seek: ESPIPE
	b.NewFunctionBuilder().WithFunc(func(uint32) {}).Export("e")                                                                                           // jsPrintWarning
	b.NewFunctionBuilder().WithFunc(setImageData).Export("f")                                                                                              // setImageData
	b.NewFunctionBuilder().WithFunc(copyComponent).Export("g")                                                                                             // copy_component
	b.NewFunctionBuilder().WithFunc(initPixels).Export("h")                                                                                                // init_pixels
	_, err := b.Instantiate(ctx)
	return err
}

func writeNothing(m api.Module, written uint32) uint32 {
	m.Memory().WriteUint32Le(written, 0)
	return 0
}

// resize grows the memory as far as the limit allows.
func resize(_ context.Context, m api.Module, wanted uint32) uint32 {
	have := m.Memory().Size()
	if wanted <= have {
		return 1
	}
	if _, ok := m.Memory().Grow((wanted - have + pageSize - 1) / pageSize); !ok {
		return 0
	}
	return 1
}

func initPixels(ctx context.Context, size uint32) {
	s := of(ctx)
	if int64(size) > int64(s.limit) {
		s.failed = true
		return
	}
	s.pixels = make([]byte, size)
}

func setImageData(ctx context.Context, m api.Module, at, size uint32) {
	s := of(ctx)
	view, ok := m.Memory().Read(at, size)
	if !ok || int64(size) > int64(s.limit) {
		s.failed = true
		return
	}
	s.pixels = bytes.Clone(view)
}

// copyComponent interleaves one component of 32-bit samples, clamped to 8 bits.
func copyComponent(ctx context.Context, m api.Module, at, index, stride, count uint32) {
	s := of(ctx)
	view, ok := m.Memory().Read(at, count*4)
	if !ok || count > MaxPixels || stride == 0 || uint64(index)+uint64(count-1)*uint64(stride) >= uint64(len(s.pixels)) {
		s.failed = true
		return
	}
	for i := range count {
		v := int32(uint32(view[4*i]) | uint32(view[4*i+1])<<8 | uint32(view[4*i+2])<<16 | uint32(view[4*i+3])<<24)
		s.pixels[index+i*stride] = byte(min(max(v, 0), 255))
	}
}

// Decode decodes a JP2 file or a raw codestream. The caller wipes the image.
func (d *Decoder) Decode(ctx context.Context, data []byte) (image.Image, error) {
	size, err := ParseSize(data)
	if err != nil {
		return nil, err
	}
	s := &decoding{limit: size.Width * size.Height * 4}
	if err := d.run(ctx, s, data); err != nil {
		pii.Wipe(s.pixels)
		return nil, err
	}
	img, err := picture(s.pixels, size)
	pii.Wipe(s.pixels)
	return img, err
}

func (d *Decoder) run(ctx context.Context, s *decoding, data []byte) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, decodingKey{}, s), d.timeout)
	defer cancel()
	m, err := d.runtime.InstantiateModule(ctx, d.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("j"))
	if err != nil {
		return refuse("", 0, fmt.Errorf("%w: sandbox", ErrDecode))
	}
	defer func() {
		if view, ok := m.Memory().Read(0, m.Memory().Size()); ok {
			clear(view)
		}
		_ = m.Close(context.WithoutCancel(ctx))
	}()
	ptr, err := m.ExportedFunction("k").Call(ctx, uint64(len(data))) // malloc
	if err != nil || ptr[0] == 0 || !m.Memory().Write(uint32(ptr[0]), data) {
		return refuse("", 0, fmt.Errorf("%w: sandbox memory", ErrDecode))
	}
	// jp2_decode(data, size, components at most, indexed, alpha in data, reduce, pad)
	ret, err := m.ExportedFunction("m").Call(ctx, ptr[0], uint64(len(data)), 4, 0, 0, 0, 0)
	switch {
	case ctx.Err() != nil:
		return refuse("", 0, fmt.Errorf("%w: time", ErrLimit))
	case err != nil:
		return refuse("", 0, fmt.Errorf("%w: the sandbox was stopped", ErrDecode))
	case ret[0] != 0 || s.failed:
		return refuse("", 0, ErrDecode)
	}
	return nil
}

// picture turns interleaved samples into an image.
func picture(pixels []byte, size Size) (image.Image, error) {
	n := size.Width * size.Height
	r := image.Rect(0, 0, size.Width, size.Height)
	switch len(pixels) {
	case n:
		img := image.NewGray(r)
		copy(img.Pix, pixels)
		return img, nil
	case 3 * n, 4 * n:
		img := image.NewRGBA(r)
		stride := len(pixels) / n
		for i := range n {
			copy(img.Pix[4*i:4*i+3], pixels[stride*i:])
			img.Pix[4*i+3] = 0xFF // a portrait is opaque, whatever its alpha says
		}
		return img, nil
	}
	return nil, refuse("", 0, fmt.Errorf("%w: unexpected number of samples", ErrDecode))
}

// JPEG decodes a JPEG 2000 portrait and encodes it as JPEG (quality 95), for
// whatever reads JPEG alone.
func (d *Decoder) JPEG(ctx context.Context, data []byte) (pii.Bytes, error) {
	img, err := d.Decode(ctx, data)
	if err != nil {
		return pii.Bytes{}, err
	}
	defer WipeImage(img)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		return pii.Bytes{}, fmt.Errorf("jp2: encode: %w", err)
	}
	return pii.NewBytes(b.Bytes()), nil
}

// WipeImage overwrites the samples of an image that Decode made.
func WipeImage(img image.Image) {
	switch i := img.(type) {
	case *image.Gray:
		pii.Wipe(i.Pix)
	case *image.RGBA:
		pii.Wipe(i.Pix)
	}
}
