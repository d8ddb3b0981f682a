package onnx

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"ipse/face"
)

// withPRelu are the networks of the default pack that have PRelu nodes, and an
// input at which they answer something.
func withPRelu(t *testing.T) map[string]face.NetworkSpec {
	t.Helper()
	specs := map[string]face.NetworkSpec{
		"facemesh_468": {Input: face.TensorSpec{Name: "input_1", Shape: []int64{1, 3, 192, 192}},
			Outputs: []face.TensorSpec{{Name: "conv2d_20", Shape: []int64{1, 1404, 1, 1}}, {Name: "conv2d_30", Shape: []int64{1, 1, 1, 1}}}},
		"iris_landmark": {Input: face.TensorSpec{Name: "input_1", Shape: []int64{1, 3, 64, 64}},
			Outputs: []face.TensorSpec{{Name: "output_eyes_contours_and_brows", Shape: []int64{1, 213}}}},
		"sface_2021dec_int8": {Input: face.TensorSpec{Name: "data", Shape: []int64{1, 3, 112, 112}},
			Outputs: []face.TensorSpec{{Name: "fc1", Shape: []int64{1, 128}}}, Dequantise: true},
	}
	for name, spec := range specs {
		model, err := os.ReadFile(filepath.Join("..", "..", "face", "pack", "default", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		spec.Name, spec.Model = name, model
		specs[name] = spec
	}
	return specs
}

// A network whose PRelu nodes were rewritten computes what it did.
func TestARewrittenNetworkComputesTheSame(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("nothing is rewritten here")
	}
	r, err := New(Config{})
	if errors.Is(err, ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range withPRelu(t) {
		rewritten, err := withoutPRelu(spec.Model)
		if err != nil || bytes.Contains(rewritten, []byte("PRelu")) || !bytes.Contains(spec.Model, []byte("PRelu")) {
			t.Fatalf("%s: not rewritten: %v", name, err)
		}
		was := outputsOf(t, spec, spec.Model)
		is := outputsOf(t, spec, rewritten)
		for i := range was {
			most, off := 0., 0.
			for k, v := range was[i] {
				most, off = max(most, math.Abs(float64(v))), max(off, math.Abs(float64(v-is[i][k])))
			}
			if most == 0 || off > 1e-5*most {
				t.Errorf("%s, output %d: off by %g of %g", name, i, off, most)
			}
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// outputsOf runs a model, just as it is, on a made-up picture.
func outputsOf(t *testing.T, spec face.NetworkSpec, model []byte) [][]float32 {
	t.Helper()
	options, err := sessionOptions(spec)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(spec.Outputs))
	for i, o := range spec.Outputs {
		names[i] = o.Name
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(model, []string{spec.Input.Name}, names, options)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLane(&network{session: session}, spec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.input {
		l.input[i] = .5 + .5*float32(math.Sin(float64(i)/9)*math.Cos(float64(i)/577))
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, o := range l.outputs {
		out = append(out, append([]float32(nil), o...))
	}
	if err := errors.Join(l.Close(), session.Destroy(), options.Destroy()); err != nil {
		t.Error(err)
	}
	return out
}

// Only PRelu nodes whose slopes are constants, one a channel, are rewritten.
func TestOnlyConstantSlopesAreRewritten(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("nothing is rewritten here")
	}
	node := func(operator, slope string) []byte {
		return field(graphNode, bytes.Join([][]byte{field(nodeInput, []byte("x")), field(nodeInput, []byte(slope)),
			field(nodeOutput, []byte("y")), field(nodeOperator, []byte(operator))}, nil))
	}
	tensor := func(element uint64, sizes ...uint64) []byte {
		b, n := number(initializerFormat, element), 4
		for _, size := range sizes {
			b, n = append(b, number(initializerSizes, size)...), n*int(size)
		}
		b = append(b, field(initializerName, []byte("slopes"))...)
		return field(graphInitializer, append(b, field(initializerRaw, make([]byte, n))...))
	}
	for name, c := range map[string]struct {
		node, tensor []byte
		rewritten    bool
	}{
		"a slope a channel":   {node("PRelu", "slopes"), tensor(1, 32, 1, 1), true},
		"four dimensions":     {node("PRelu", "slopes"), tensor(1, 1, 16, 1, 1), true},
		"too few channels":    {node("PRelu", "slopes"), tensor(1, 8, 1, 1), false},
		"one for all":         {node("PRelu", "slopes"), tensor(1, 1), false},
		"a slope a point":     {node("PRelu", "slopes"), tensor(1, 16, 2, 2), false},
		"half precision":      {node("PRelu", "slopes"), tensor(10, 16, 1, 1), false},
		"computed slopes":     {node("PRelu", "others"), tensor(1, 16, 1, 1), false},
		"another operator":    {node("Add", "slopes"), tensor(1, 16, 1, 1), false},
		"a slope a batch too": {node("PRelu", "slopes"), tensor(1, 2, 16, 1, 1), false},
	} {
		before := model(c.node, c.tensor, field(graphInput, value("x", 1, 1, 16, 4, 4)), field(graphOutput, value("y", 1, 1, 16, 4, 4)))
		after, err := withoutPRelu(before)
		if err != nil || bytes.Equal(before, after) == c.rewritten || bytes.Contains(after, []byte("PRelu")) != (!c.rewritten && name != "another operator") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a model is, rewriting it leaves what it takes and gives.
func FuzzWithoutPRelu(f *testing.F) {
	prelu := field(graphNode, bytes.Join([][]byte{field(nodeInput, []byte("x")), field(nodeInput, []byte("a")), field(nodeOutput, []byte("y")), field(nodeOperator, []byte("PRelu"))}, nil))
	slopes := bytes.Join([][]byte{number(initializerSizes, 16), number(initializerSizes, 1), number(initializerSizes, 1), number(initializerFormat, 1),
		field(initializerName, []byte("a")), field(initializerRaw, make([]byte, 64))}, nil)
	f.Add(model(prelu, field(graphInitializer, slopes), field(graphInput, value("x", 1, 1, 16, 4, 4)), field(graphOutput, value("y", 1, 1, 16, 4, 4))))
	f.Add([]byte("nothing"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before, err := readModel(b)
		if err != nil {
			return
		}
		rewritten, err := withoutPRelu(b)
		if err != nil {
			return
		}
		after, err := readModel(rewritten)
		if err != nil || len(after.inputs) != len(before.inputs) || len(after.outputs) != len(before.outputs) {
			t.Fatalf("%+v became %+v: %v", before, after, err)
		}
	})
}
