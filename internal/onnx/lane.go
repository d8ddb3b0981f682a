package onnx

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"

	"ipse/face"
)

// lane is one caller's tensors on a shared network. It is not safe for
// concurrent use. A run allocates nothing on the Go side.
type lane struct {
	name    string
	net     *network
	binding *ort.IoBinding
	tensors []*ort.Tensor[float32]
	input   []float32
	outputs [][]float32
	pins    runtime.Pinner // the tensors' memory, which the library keeps pointers to
}

func newLane(net *network, spec face.NetworkSpec) (*lane, error) {
	binding, err := net.session.CreateIoBinding()
	if err != nil {
		return nil, fmt.Errorf("onnx: lane of %s: %w", spec.Name, err)
	}
	l := &lane{name: spec.Name, net: net, binding: binding}
	if l.input, err = l.bind(spec.Input, binding.BindInput); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	for _, o := range spec.Outputs {
		out, err := l.bind(o, binding.BindOutput)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l.outputs = append(l.outputs, out)
	}
	// The first run, on zeros, has the runtime learn how much memory one takes: the
	// runs after it take one block, which is overwritten when it is freed.
	if err := l.Run(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.Wipe()
	return l, nil
}

func (l *lane) bind(spec face.TensorSpec, bind func(string, ort.Value) error) ([]float32, error) {
	n := int64(1)
	for _, d := range spec.Shape {
		n *= d
	}
	if n <= 0 || n > 1<<24 {
		return nil, fmt.Errorf("onnx: lane of %s: tensor %q has a shape out of range", l.name, spec.Name)
	}
	data := make([]float32, n)
	l.pins.Pin(&data[0])
	tensor, err := ort.NewTensor(ort.NewShape(spec.Shape...), data)
	if err != nil {
		return nil, fmt.Errorf("onnx: lane of %s: %w", l.name, err)
	}
	l.tensors = append(l.tensors, tensor)
	if err := bind(spec.Name, tensor); err != nil {
		return nil, fmt.Errorf("onnx: lane of %s: bind %q: %w", l.name, spec.Name, err)
	}
	return data, nil
}

// Input implements face.Lane.
func (l *lane) Input() []float32 { return l.input }

// Output implements face.Lane.
func (l *lane) Output(i int) []float32 { return l.outputs[i] }

// Run implements face.Lane.
func (l *lane) Run() error {
	if err := l.net.session.RunWithBinding(l.binding); err != nil {
		return fmt.Errorf("onnx: run %s: %w", l.name, err)
	}
	return nil
}

// Wipe implements face.Lane.
func (l *lane) Wipe() {
	clear(l.input)
	for _, o := range l.outputs {
		clear(o)
	}
}

// Close implements face.Lane.
func (l *lane) Close() error {
	l.Wipe()
	errs := []error{l.binding.Destroy()}
	for _, t := range l.tensors {
		errs = append(errs, t.Destroy())
	}
	l.tensors = nil
	l.pins.Unpin()
	return errors.Join(errs...)
}
