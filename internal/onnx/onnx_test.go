package onnx_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ipse/face"
	"ipse/internal/onnx"
)

func runtimeOrSkip(t *testing.T) *onnx.Runtime {
	t.Helper()
	r, err := onnx.New(onnx.Config{})
	if errors.Is(err, onnx.ErrNotFound) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// iris is the smallest network of the default pack.
func iris(t *testing.T) face.NetworkSpec {
	t.Helper()
	model, err := os.ReadFile(filepath.Join("..", "..", "face", "pack", "default", "iris_landmark.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return face.NetworkSpec{
		Name: "iris", Key: "iris", Model: model,
		Input:   face.TensorSpec{Name: "input_1", Shape: []int64{1, 3, 64, 64}},
		Outputs: []face.TensorSpec{{Name: "output_eyes_contours_and_brows", Shape: []int64{1, 213}}},
	}
}

func TestLaneRunsAndWipes(t *testing.T) { // not parallel: it counts allocations
	r := runtimeOrSkip(t)
	lane, err := r.NewLane(iris(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(lane.Input()) != 3*64*64 || len(lane.Output(0)) != 213 {
		t.Fatalf("tensors of %d and %d numbers", len(lane.Input()), len(lane.Output(0)))
	}
	for i := range lane.Input() {
		lane.Input()[i] = float32(i%7) / 7
	}
	if err := lane.Run(); err != nil {
		t.Fatal(err)
	}
	sum := float32(0)
	for _, v := range lane.Output(0) {
		sum += v * v
	}
	if sum == 0 {
		t.Error("the network gave nothing")
	}
	if n := testing.AllocsPerRun(20, func() { _ = lane.Run() }); n > 0 {
		t.Errorf("a run allocates %.0f times", n)
	}
	lane.Wipe()
	for _, v := range append(lane.Input(), lane.Output(0)...) {
		if v != 0 {
			t.Fatal("a number is left after Wipe")
		}
	}
	if err := errors.Join(lane.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if _, err := r.NewLane(iris(t)); err == nil {
		t.Error("a closed runtime gives lanes")
	}
}

// Two lanes share the network and nothing else.
func TestLanesDoNotMix(t *testing.T) {
	t.Parallel()
	r := runtimeOrSkip(t)
	var outputs [2][]float32
	for i := range outputs {
		lane, err := r.NewLane(iris(t))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = lane.Close() }()
		lane.Input()[100] = float32(i)
		if err := lane.Run(); err != nil {
			t.Fatal(err)
		}
		outputs[i] = lane.Output(0)
	}
	same := true
	for i := range outputs[0] {
		same = same && outputs[0][i] == outputs[1][i]
	}
	if same {
		t.Error("both lanes hold the same result")
	}
}

func TestWrongModelsAreRefused(t *testing.T) {
	t.Parallel()
	r := runtimeOrSkip(t)
	defer func() { _ = r.Close() }()
	for name, test := range map[string]struct {
		change func(*face.NetworkSpec)
		want   string
	}{
		"not a model":     {func(s *face.NetworkSpec) { s.Model = []byte("nothing") }, "iris"},
		"empty":           {func(s *face.NetworkSpec) { s.Model = nil }, "iris"},
		"other input":     {func(s *face.NetworkSpec) { s.Input.Name = "image" }, `"image"`},
		"other size":      {func(s *face.NetworkSpec) { s.Input.Shape = []int64{1, 3, 32, 32} }, `"input_1"`},
		"other dimension": {func(s *face.NetworkSpec) { s.Input.Shape = []int64{3, 64, 64} }, `"input_1"`},
		"other output":    {func(s *face.NetworkSpec) { s.Outputs[0].Name = "eyes" }, `"eyes"`},
	} {
		spec := iris(t)
		spec.Key = name
		test.change(&spec)
		if _, err := r.NewLane(spec); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(onnx.EnvLibrary, filepath.Join(dir, "missing.so"))
	if _, err := onnx.Locate("."); err == nil || errors.Is(err, onnx.ErrNotFound) {
		t.Errorf("a named library that is missing: %v", err)
	}
	named := filepath.Join(dir, "lib.so")
	if err := os.WriteFile(named, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(onnx.EnvLibrary, named)
	if got, err := onnx.Locate("."); err != nil || got != named {
		t.Errorf("%s, %v", got, err)
	}
}

// childEnv makes the test below its own child: the library is started once a process.
const childEnv = "IPSE_ONNX_CHILD"

// TestALibraryThatIsNoneIsNamed: whoever names a wrong file must read which one,
// and which release is needed.
func TestALibraryThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	wrong := os.Getenv(childEnv)
	if wrong == "" {
		wrong = filepath.Join(t.TempDir(), "libwrong.so")
		if err := os.WriteFile(wrong, []byte("no library"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestALibraryThatIsNoneIsNamed$")
		cmd.Env = append(os.Environ(), childEnv+"="+wrong)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	_, err := onnx.New(onnx.Config{Library: wrong})
	if err == nil || !strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), onnx.LibraryVersion) {
		t.Errorf("%v", err)
	}
	if _, err := onnx.New(onnx.Config{Library: wrong + ".missing"}); err == nil || !strings.Contains(err.Error(), wrong+".missing") {
		t.Errorf("missing: %v", err)
	}
}
