package onnx

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// field encodes one protocol-buffer field of bytes.
func field(number uint64, body []byte) []byte {
	b := binary.AppendUvarint(nil, number<<3|2)
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func number(field, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, field<<3), v)
}

// value encodes a ValueInfoProto; a size of 0 is left open.
func value(name string, element uint64, sizes ...uint64) []byte {
	var shape []byte
	for _, n := range sizes {
		dimension := field(2, []byte("n"))
		if n > 0 {
			dimension = number(1, n)
		}
		shape = append(shape, field(1, dimension)...)
	}
	tensor := append(number(1, element), field(2, shape)...)
	return append(field(1, []byte(name)), field(2, field(1, tensor))...)
}

func model(parts ...[]byte) []byte { return append(number(1, 8), field(7, bytes.Join(parts, nil))...) }

func TestReadModel(t *testing.T) {
	t.Parallel()
	got, err := readModel(model(field(11, value("image", 1, 0, 3, 112, 112)), field(11, value("weight", 1, 8)),
		field(5, field(8, []byte("weight"))), field(12, value("vector", 10, 1, 512))))
	want := modelHeader{
		inputs:  []tensorInfo{{"image", 1, []int64{anySize, 3, 112, 112}}},
		outputs: []tensorInfo{{"vector", 10, []int64{1, 512}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("nothing"), "no graph": number(1, 8), "no outputs": model(field(11, value("image", 1, 1))),
		"cut": model(field(11, value("image", 1, 1)), field(12, value("vector", 1, 1)))[:20],
	} {
		if _, err := readModel(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The default pack's own files are read as ONNX Runtime reads them, which
// TestWrongModelsAreRefused and every load of an engine rely on.
func TestReadModelOfTheDefaultPack(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "face", "pack", "default", "*.onnx"))
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		h, err := readModel(b)
		if err != nil || len(h.inputs) != 1 || len(h.inputs[0].shape) != 4 || h.inputs[0].element != elementFloat || len(h.outputs) == 0 {
			t.Errorf("%s: %+v, %v", filepath.Base(f), h, err)
		}
	}
}

func FuzzReadModel(f *testing.F) {
	f.Add(model(field(11, value("image", 1, 0, 3, 112, 112)), field(5, field(8, []byte("weight"))), field(12, value("vector", 1, 1, 512))))
	f.Add([]byte("nothing"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readModel(b)
		if err != nil {
			return
		}
		size := 0
		for _, i := range append(h.inputs, h.outputs...) {
			size += len(i.name) + len(i.shape)
		}
		if size > len(b) {
			t.Fatalf("more was read (%d) than is there (%d)", size, len(b))
		}
	})
}
