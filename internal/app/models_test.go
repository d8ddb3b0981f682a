package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/onnx"
)

// TestAServerLoadsNoCodeFromWhereItIsStarted lays a library into the working
// folder, as somebody could who may write to it, and has the models loaded.
func TestAServerLoadsNoCodeFromWhereItIsStarted(t *testing.T) { //nolint:paralleltest // changes the working folder
	if runtime.GOOS != "linux" || os.Getenv(onnx.EnvLibrary) != "" {
		t.Skip("the library is named, or has another name")
	}
	dir := t.TempDir()
	for _, arch := range []string{"x64", "arm64"} {
		name := filepath.Join(dir, "node_modules/onnxruntime-node/bin/napi-v6/linux", arch, "libonnxruntime.so.1")
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("planted"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if planted, err := onnx.Locate("."); err != nil || !strings.HasPrefix(planted, dir) {
		t.Fatalf("the test plants nothing that could be found: %s, %v", planted, err)
	}
	l := listen(t)
	opts, log := options(t, t.TempDir(), l)
	serve(t, opts, l)
	apitest.New(t, opts.Config.Server.PublicURL, &http.Transport{}).Start("camera") // begins to load
	for deadline := time.Now().Add(apitest.Patience); !strings.Contains(log.String(), "face models"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is loaded")
		}
	}
	if !strings.Contains(log.String(), "was not found") && !strings.Contains(log.String(), "face models loaded") { // by the system's own
		t.Errorf("the library of the working folder was tried: %s", log.String())
	}
}

// TestAServerRunsTheOperatorsPack: it starts with a pack that is as its manifest
// says, and says which; with any other it does not start.
func TestAServerRunsTheOperatorsPack(t *testing.T) {
	t.Parallel()
	library, err := onnx.Locate(".")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	for name, from := range map[string]string{
		"manifest.json": "testdata/tiny", "tiny_embedding.onnx": "testdata/tiny",
		"yunet_2023mar.onnx": "pack/default", "facemesh_468.onnx": "pack/default", "iris_landmark.onnx": "pack/default",
	} {
		b, err := os.ReadFile(filepath.Join("..", "..", "face", from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := listen(t)
	opts, log := options(t, t.TempDir(), l)
	opts.Config.Face.Pack, opts.Config.Face.FMR, opts.Config.Face.Runtime = dir, "1:1000", library
	serve(t, opts, l)
	apitest.New(t, opts.Config.Server.PublicURL, &http.Transport{}).Start("camera")
	for deadline := time.Now().Add(apitest.Patience); !strings.Contains(log.String(), "face models"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is loaded")
		}
	}
	if !strings.Contains(log.String(), `"pack":"tiny"`) {
		t.Errorf("%s", log.String())
	}

	refused := opts
	refused.Config.Server.Data = t.TempDir()
	refused.Config.Face.FMR = "1:10000"
	if _, err := app.New(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "states no threshold for face.fmr 1:10000") {
		t.Errorf("a rate that the pack does not state: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tiny_embedding.onnx"), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused.Config.Face.FMR = "1:1000"
	if _, err := app.New(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "tiny_embedding.onnx is not the file") {
		t.Errorf("another file: %v", err)
	}
}
