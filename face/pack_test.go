package face_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

// copyPack is the default pack as a file system that a test may spoil.
func copyPack(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range []string{"manifest.json", "yunet_2023mar.onnx", "facemesh_468.onnx", "iris_landmark.onnx", "sface_2021dec_int8.onnx"} {
		fsys[name] = &fstest.MapFile{Data: read(t, "pack/default/"+name)}
	}
	return fsys
}

// edit changes the manifest as JSON.
func edit(t *testing.T, fsys fstest.MapFS, change func(map[string]any)) {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(fsys["manifest.json"].Data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fsys["manifest.json"] = &fstest.MapFile{Data: b}
}

func network(m map[string]any, role string) map[string]any {
	for _, n := range m["networks"].([]any) {
		if n := n.(map[string]any); n["role"] == role {
			return n
		}
	}
	return nil
}

func TestPackRefusesSpoiledFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(t *testing.T, fsys fstest.MapFS)
		want  string
	}{
		"a bit flipped": {func(_ *testing.T, fsys fstest.MapFS) {
			b := bytes.Clone(fsys["iris_landmark.onnx"].Data)
			b[1000] ^= 1
			fsys["iris_landmark.onnx"] = &fstest.MapFile{Data: b}
		}, "iris_landmark.onnx is not the file of the manifest"},
		"missing file":     {func(_ *testing.T, fsys fstest.MapFS) { delete(fsys, "facemesh_468.onnx") }, "facemesh_468.onnx"},
		"missing manifest": {func(_ *testing.T, fsys fstest.MapFS) { delete(fsys, "manifest.json") }, "manifest.json"},
		"no JSON":          {func(_ *testing.T, fsys fstest.MapFS) { fsys["manifest.json"] = &fstest.MapFile{Data: []byte("{")} }, "manifest"},
		"missing role": {func(t *testing.T, fsys fstest.MapFS) {
			edit(t, fsys, func(m map[string]any) { network(m, "iris")["role"] = "other" })
		}, `no network has the role "iris"`},
		"embedding of another size": {func(t *testing.T, fsys fstest.MapFS) {
			edit(t, fsys, func(m map[string]any) { network(m, "embedding")["input"].(map[string]any)["width"] = 160 })
		}, "112x112"},
		"unknown colour order": {func(t *testing.T, fsys fstest.MapFS) {
			edit(t, fsys, func(m map[string]any) { network(m, "embedding")["input"].(map[string]any)["order"] = "HSV" })
		}, "neither RGB nor BGR"},
		"threshold out of range": {func(t *testing.T, fsys fstest.MapFS) {
			edit(t, fsys, func(m map[string]any) {
				m["comparison"].(map[string]any)["thresholds"].([]any)[0].(map[string]any)["cosine"] = 1.5
			})
		}, "out of range"},
		"default without threshold": {func(t *testing.T, fsys fstest.MapFS) {
			edit(t, fsys, func(m map[string]any) { m["comparison"].(map[string]any)["default"] = "1:7" })
		}, "no threshold was measured"},
	} {
		fsys := copyPack(t)
		test.spoil(t, fsys)
		if _, err := face.LoadPack(fsys); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// A model of another shape than the manifest's is refused, naming the tensor.
func TestShapesAreChecked(t *testing.T) {
	t.Parallel()
	engine(t)
	for name, test := range map[string]struct {
		change func(m map[string]any)
		want   []string
	}{
		"length of the embedding": {func(m map[string]any) { network(m, "embedding")["dimensions"] = 512 }, []string{"sface_2021dec_int8.onnx", `"fc1"`, "512"}},
		"name of an input":        {func(m map[string]any) { network(m, "mesh")["input"].(map[string]any)["name"] = "image" }, []string{"facemesh_468.onnx", `"image"`}},
		"name of an output":       {func(m map[string]any) { network(m, "iris")["outputs"] = []string{"eyes"} }, []string{"iris_landmark.onnx", `"eyes"`}},
		"number of outputs":       {func(m map[string]any) { network(m, "mesh")["outputs"] = []string{"conv2d_20"} }, []string{"facemesh_468.onnx", "1 outputs named, 2 needed"}},
	} {
		fsys := copyPack(t)
		edit(t, fsys, test.change)
		p, err := face.LoadPack(fsys)
		if err != nil {
			t.Fatal(name, err)
		}
		runtime, err := onnx.New(onnx.Config{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime})
		if err != nil {
			t.Fatal(name, err)
		}
		err = e.Warm(t.Context())
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if e.Close() != nil || runtime.Close() != nil {
			t.Errorf("%s: close", name)
		}
	}
}

func TestPackHashNamesItsFiles(t *testing.T) {
	t.Parallel()
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := pack.Default(); err != nil || again.Hash() != p.Hash() || len(p.Hash()) != 64 {
		t.Errorf("hash %s, %v", p.Hash(), err)
	}
}

// FuzzManifest: whatever a manifest says, a pack is refused or is one that an engine
// can be made of; its files must be there.
func FuzzManifest(f *testing.F) {
	for _, name := range []string{"pack/default/manifest.json", "testdata/tiny/manifest.json"} {
		f.Add(read(f, name))
	}
	f.Add([]byte(`{"networks":[{}]}`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		fsys := fstest.MapFS{"manifest.json": &fstest.MapFile{Data: manifest}}
		for _, name := range []string{"yunet_2023mar.onnx", "facemesh_468.onnx", "iris_landmark.onnx", "sface_2021dec_int8.onnx", "tiny_embedding.onnx"} {
			fsys[name] = &fstest.MapFile{}
		}
		if p, err := face.LoadPack(fsys); err == nil {
			t.Fatalf("a pack of empty files was accepted: %s", p.Manifest.Name)
		} else if len(manifest) > 0 && strings.Count(err.Error(), "\n") > strings.Count(string(manifest), "\n") {
			t.Fatalf("an error of many lines: %v", err)
		}
	})
}
