// Package onnx runs neural networks with ONNX Runtime's shared library and so
// implements face.Inferer. It is the only package that uses cgo.
//
// A network is loaded once, on first use, and shared: ONNX Runtime's sessions
// are safe for concurrent runs. What is not shared is a lane: pre-allocated
// input and output tensors, bound once, that one caller uses at a time.
package onnx

import (
	"errors"
	"fmt"
	"os"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"ipse/face"
)

// Config says where the library is and how it runs.
type Config struct {
	// Library is the path of libonnxruntime; empty means Locate(".").
	Library string
}

// environment guards the process-wide state of ONNX Runtime, which can be
// started once per process however many Runtimes there are.
var environment sync.Mutex //nolint:gochecknoglobals // the library's own state is global

// Runtime implements face.Inferer. It is safe for concurrent use.
type Runtime struct {
	mu       sync.Mutex // guards networks and closed
	networks map[string]*network
	closed   bool
}

// network is one loaded model; its session may run in several lanes at once.
type network struct {
	session *ort.DynamicAdvancedSession
}

// New loads the library. It takes some 20 ms and no model yet.
// The error is ErrNotFound (errors.Is) when there is no library.
func New(cfg Config) (*Runtime, error) {
	path := cfg.Library
	if path == "" {
		found, err := Locate(".")
		if err != nil {
			return nil, err
		}
		path = found
	}
	if err := start(path); err != nil {
		return nil, err
	}
	return &Runtime{networks: map[string]*network{}}, nil
}

func start(path string) error {
	environment.Lock()
	defer environment.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	// The library writes to a file descriptor of its own; nothing it says at
	// error level contains input data.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("onnx: prepare environment: %w", err)
	}
	overwriteFreed()
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("onnx: %s is not a library of ONNX Runtime %s or newer: %w", path, LibraryVersion, err)
	}
	return nil
}

// NewLane implements face.Inferer: it loads the network if it is the first of
// its kind and binds new tensors to it. A model of another shape than stated is
// refused here, with the name of the tensor.
func (r *Runtime) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	net, err := r.load(spec)
	if err != nil {
		return nil, err
	}
	return newLane(net, spec)
}

func (r *Runtime) load(spec face.NetworkSpec) (*network, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("onnx: runtime is closed")
	}
	if net := r.networks[spec.Key]; net != nil {
		return net, nil
	}
	session, err := open(spec)
	if err != nil {
		return nil, fmt.Errorf("onnx: network %s: %w", spec.Name, err)
	}
	net := &network{session: session}
	r.networks[spec.Key] = net
	return net, nil
}

func open(spec face.NetworkSpec) (*ort.DynamicAdvancedSession, error) {
	if err := checkShapes(spec); err != nil {
		return nil, err
	}
	options, err := sessionOptions(spec)
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	outputs := make([]string, len(spec.Outputs))
	for i, o := range spec.Outputs {
		outputs[i] = o.Name
	}
	inputs := []string{spec.Input.Name}
	// What the runtime does not take rewritten, it gets as it was.
	if model, err := withoutPRelu(spec.Model); err == nil {
		if session, err := ort.NewDynamicAdvancedSessionWithONNXData(model, inputs, outputs, options); err == nil {
			return session, nil
		}
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(spec.Model, inputs, outputs, options)
}

// sessionOptions asks for one thread per run (throughput comes from sessions in
// parallel) and, where the manifest says so, for weights dequantised at load:
// SFace's int8 file then runs at the speed of its float file (field figures in
// docs/models.md).
func sessionOptions(spec face.NetworkSpec) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	steps := []error{
		options.SetCpuMemArena(false), // see overwriteFreed; an arena is no faster here
		options.SetMemPattern(true),
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetExecutionMode(ort.ExecutionModeSequential),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.SetLogSeverityLevel(ort.LoggingLevelError),
	}
	if spec.Dequantise {
		steps = append(steps, options.AddSessionConfigEntry("session.disable_quant_qdq", "1"))
	}
	if err := errors.Join(steps...); err != nil {
		_ = options.Destroy()
		return nil, err
	}
	return options, nil
}

// checkShapes compares the model's declared tensors with what the manifest says.
func checkShapes(spec face.NetworkSpec) error {
	model, err := readModel(spec.Model)
	if err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	if len(model.inputs) != 1 {
		return fmt.Errorf("the model has %d inputs, one image is expected", len(model.inputs))
	}
	if err := sameTensor(spec.Input, model.inputs); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	for _, want := range spec.Outputs {
		if err := sameTensor(want, model.outputs); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

// sameTensor refuses a tensor that is not as stated, with the place of the statement.
func sameTensor(want face.TensorSpec, have []tensorInfo) error {
	said := "the manifest"
	if want.Stated != "" {
		said = want.Stated
	}
	for _, info := range have {
		if info.name != want.Name {
			continue
		}
		if info.element != elementFloat {
			return fmt.Errorf("tensor %q holds no float32 numbers (ONNX type %d), which %s needs", want.Name, info.element, said)
		}
		if !info.fits(want.Shape) {
			return fmt.Errorf("tensor %q has shape %v, %s says %v", want.Name, info.shape, said, want.Shape)
		}
		return nil
	}
	return fmt.Errorf("the model has no tensor %q, which %s names", want.Name, said)
}

// fits says whether a shape is one that the model takes; sizes that it leaves
// open are any.
func (i tensorInfo) fits(shape []int64) bool {
	if len(i.shape) != len(shape) {
		return false
	}
	for k, size := range i.shape {
		if size > 0 && size != shape[k] {
			return false
		}
	}
	return true
}

// Close releases the networks. Lanes must be closed first.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	for key, net := range r.networks {
		errs = append(errs, net.session.Destroy())
		delete(r.networks, key)
	}
	return errors.Join(errs...)
}
