package face_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"ipse/face"
	"ipse/internal/onnx"
)

// meanModel is an ONNX file that averages each plane of a 32 x 32 crop: three
// "classes", the means of its colours. It stands for the network that an operator
// brings.
func meanModel() []byte {
	field := func(number uint64, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append(binary.AppendUvarint(binary.AppendUvarint(nil, number<<3|2), uint64(len(body))), body...)
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
	node := func(op, input, output string) []byte { return field(1, text(1, input), text(2, output), text(4, op)) }
	graph := field(7, node("GlobalAveragePool", "crop", "pooled"), node("Flatten", "pooled", "classes"),
		text(2, "mean"), value(11, "crop", 1, 3, 32, 32), value(12, "classes", 1, 3))
	return bytes.Join([][]byte{number(1, 8), graph, field(8, text(1, ""), number(2, 13))}, nil)
}

// passivePack is the default pack with a passive network.
func passivePack(t *testing.T, change func(network map[string]any)) fstest.MapFS {
	t.Helper()
	fsys, model := copyPack(t), meanModel()
	sum := sha256.Sum256(model)
	fsys["mean.onnx"] = &fstest.MapFile{Data: model}
	edit(t, fsys, func(m map[string]any) {
		n := map[string]any{
			"role": "passive", "file": "mean.onnx", "sha256": hex.EncodeToString(sum[:]), "licence": "none: a test's", "source": "this test",
			"source_sha256": "", "training_data": "none", "outputs": []string{"classes"},
			"input":   map[string]any{"name": "crop", "width": 32, "height": 32, "order": "RGB", "mean": 0, "scale": 1. / 255},
			"passive": map[string]any{"classes": 3, "live": 0, "margin": 1, "threshold": .1, "measured": "nothing"},
		}
		if change != nil {
			change(n)
		}
		m["networks"] = append(m["networks"].([]any), n)
	})
	return fsys
}

// An operator's passive network serves without code. As an adviser it is reported
// and changes nothing; where the manifest lets it decide, it can refuse, and can
// accept nobody that another signal refuses.
func TestAnotherPassiveNetworkServes(t *testing.T) {
	t.Parallel()
	engine(t)
	for name, test := range map[string]struct {
		use      map[string]any
		camera   string
		signal   bool
		accepted bool
	}{
		"adviser, content":     {map[string]any{"threshold": .1}, "p02", true, true},
		"adviser, not content": {map[string]any{"threshold": .99}, "p02", false, true},
		"decides, refuses":     {map[string]any{"threshold": .99, "decides": true}, "p02", false, false},
		"content with another": {map[string]any{"threshold": .1, "softmax": true, "decides": true}, "p05", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := face.LoadPack(passivePack(t, func(n map[string]any) {
				for k, v := range test.use {
					n["passive"].(map[string]any)[k] = v
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			runtime, err := onnx.New(onnx.Config{})
			if err != nil {
				t.Fatal(err)
			}
			policy := face.DefaultPolicy()
			policy.Count, policy.Light = 4, face.LightOff
			e, err := face.NewEngine(face.Config{Pack: p, Inferer: runtime, Random: &counter{x: 3}, Workers: 1, Policy: policy})
			if err != nil {
				t.Fatal(err)
			}
			o := run(t, check(t, e, "p02"), newFollower(live(t, test.camera)))
			if o.Accepted != test.accepted || passed(o.report, "passive") != test.signal {
				t.Errorf("%+v, %+v", o.Decision, o.report.Signals)
			}
			if r := o.report.Passive; r == nil || r.Samples < 3 || r.Live <= .2 || r.Live >= .99 {
				t.Errorf("%+v", r)
			}
			if err := errors.Join(e.Close(), runtime.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPassiveNetworksAreDeclaredWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(n map[string]any)
		want   string
	}{
		"no use":        {func(n map[string]any) { delete(n, "passive") }, "states how it is used"},
		"no square":     {func(n map[string]any) { n["input"].(map[string]any)["height"] = 64 }, "a square"},
		"no scale":      {func(n map[string]any) { n["input"].(map[string]any)["scale"] = 0 }, "scale other than 0"},
		"no such class": {func(n map[string]any) { n["passive"].(map[string]any)["live"] = 3 }, "classes"},
		"threshold":     {func(n map[string]any) { n["passive"].(map[string]any)["threshold"] = 1 }, "out of range"},
		"margin":        {func(n map[string]any) { n["passive"].(map[string]any)["margin"] = .5 }, "out of range"},
		"no figures":    {func(n map[string]any) { n["passive"].(map[string]any)["measured"] = "" }, "what was measured"},
		"no origin":     {func(n map[string]any) { n["training_data"] = "" }, "training_data"},
	} {
		if _, err := face.LoadPack(passivePack(t, test.change)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	other := copyPack(t)
	edit(t, other, func(m map[string]any) {
		network(m, "iris")["passive"] = map[string]any{"classes": 3, "live": 0, "margin": 1, "threshold": .1, "measured": "x"}
	})
	if _, err := face.LoadPack(other); err == nil {
		t.Error("another role is used as a passive network")
	}
}
