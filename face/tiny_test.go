package face_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"ipse/face"
	"ipse/internal/onnx"
)

// tinyModel writes a small embedding in the ArcFace style: 112 x 112 pixels are
// averaged over squares of 16 and multiplied with fixed pseudo-random weights into
// 32 numbers. It tells nobody from anybody well and stands for the pack that an
// operator brings. testdata/tiny holds what this function writes.
func tinyModel() []byte {
	const in, out = 3 * 7 * 7, 32
	field := func(number uint64, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		b := binary.AppendUvarint(binary.AppendUvarint(nil, number<<3|2), uint64(len(body)))
		return append(b, body...)
	}
	text := func(number uint64, s string) []byte { return field(number, []byte(s)) }
	number := func(n, v uint64) []byte { return binary.AppendUvarint(binary.AppendUvarint(nil, n<<3), v) }
	value := func(n uint64, name string, sizes ...uint64) []byte { // ValueInfoProto
		var shape []byte
		for _, s := range sizes {
			shape = append(shape, field(1, number(1, s))...)
		}
		return field(n, text(1, name), field(2, field(1, number(1, 1), field(2, shape))))
	}
	ints := func(name string, v ...uint64) []byte { // AttributeProto
		b := append(text(1, name), number(20, 7)...)
		for _, x := range v {
			b = append(b, number(8, x)...)
		}
		return field(5, b)
	}
	node := func(op, output string, attributes []byte, inputs ...string) []byte {
		var b []byte
		for _, i := range inputs {
			b = append(b, text(1, i)...)
		}
		return field(1, b, text(2, output), text(4, op), attributes)
	}
	var weights []byte
	random := &counter{x: 7}
	for range in * out {
		var b [2]byte
		_, _ = random.Read(b[:])
		weights = binary.LittleEndian.AppendUint32(weights, math.Float32bits(float32(int16(binary.LittleEndian.Uint16(b[:])))/32768))
	}
	graph := field(7,
		node("AveragePool", "pooled", append(ints("kernel_shape", 16, 16), ints("strides", 16, 16)...), "face"),
		node("Flatten", "flat", nil, "pooled"),
		node("MatMul", "vector", nil, "flat", "weights"),
		text(2, "tiny"),
		field(5, number(1, in), number(1, out), number(2, 1), text(8, "weights"), field(9, weights)),
		value(11, "face", 1, 3, 112, 112), value(12, "vector", 1, out))
	return bytes.Join([][]byte{number(1, 8), graph, field(8, text(1, ""), number(2, 13))}, nil)
}

// tinyPack is the default pack with the tiny embedding in place of SFace.
func tinyPack(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := copyPack(t)
	delete(fsys, "sface_2021dec_int8.onnx")
	for _, name := range []string{"manifest.json", "tiny_embedding.onnx"} {
		fsys[name] = &fstest.MapFile{Data: read(t, filepath.Join("testdata", "tiny", name))}
	}
	return fsys
}

func TestTheTinyModelIsWhatItsCodeWrites(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "tiny", "tiny_embedding.onnx")
	if os.Getenv("IPSE_WRITE_TINY") != "" {
		if err := os.WriteFile(name, tinyModel(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, name), tinyModel()) {
		t.Error("the file differs: run the test with IPSE_WRITE_TINY=1, and put its SHA-256 into the manifest")
	}
}

// An operator's embedding serves without code: another length, name, colour order
// and scale. Until its thresholds are measured it compares nobody.
func TestAnotherEmbeddingServes(t *testing.T) {
	t.Parallel()
	engine(t)
	p, err := face.LoadPack(tinyPack(t))
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime, Random: &counter{}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	same, err := e.Compare(t.Context(), portrait(t, "p02"), portrait(t, "p02"))
	if err != nil || !same.Match || same.FMR != p.Manifest.Comparison.Default {
		t.Errorf("%+v, %v", same, err)
	}
	c, err := e.NewCheck(t.Context(), portrait(t, "p02"))
	if err != nil || len(c.Reference()) != 32 {
		t.Fatalf("%v", err)
	}
	c.Wipe()
	if e.PackName() != "tiny" || e.PackHash() == "" {
		t.Errorf("pack %q, %q", e.PackName(), e.PackHash())
	}
	if err := errors.Join(e.Close(), runtime.Close()); err != nil {
		t.Error(err)
	}
}

func TestAPackWithoutThresholdsComparesNobody(t *testing.T) {
	t.Parallel()
	engine(t)
	fsys := tinyPack(t)
	edit(t, fsys, func(m map[string]any) { m["comparison"] = map[string]any{"measured": "not yet"} })
	p, err := face.LoadPack(fsys)
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime}); !errors.Is(err, face.ErrNotCalibrated) {
		t.Errorf("%v", err)
	}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime, Measuring: true, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Compare(t.Context(), portrait(t, "p02"), portrait(t, "p02"))
	if err != nil || r.Match {
		t.Errorf("an engine that measures matched an image with itself: %+v, %v", r, err)
	}
	if err := errors.Join(e.Close(), runtime.Close()); err != nil {
		t.Error(err)
	}
}

// A model of another shape than its manifest's is refused with the manifest's line.
func TestAnotherShapeIsRefusedWithTheManifestsLine(t *testing.T) {
	t.Parallel()
	engine(t)
	fsys := tinyPack(t)
	raw := bytes.Replace(fsys["manifest.json"].Data, []byte(`"dimensions": 32`), []byte(`"dimensions": 64`), 1)
	fsys["manifest.json"] = &fstest.MapFile{Data: raw}
	p, err := face.LoadPack(fsys)
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime})
	if err != nil {
		t.Fatal(err)
	}
	err = e.Warm(t.Context())
	for i, line := range strings.Split(string(raw), "\n") {
		for _, stated := range []string{`"vector"`, `"dimensions": 64`} {
			if strings.Contains(line, stated) && (err == nil || !strings.Contains(err.Error(), strconv.Itoa(i+1))) {
				t.Errorf("%v does not name line %d", err, i+1)
			}
		}
	}
	if err := errors.Join(e.Close(), runtime.Close()); err != nil {
		t.Error(err)
	}
}
