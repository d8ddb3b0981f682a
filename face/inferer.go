package face

// Inferer runs neural networks. internal/onnx implements it over ONNX Runtime;
// a test may implement it in a few lines.
//
// NewLane loads the network named by spec on first use (tens of milliseconds)
// and may be called concurrently. It refuses a model whose tensors are not those
// of spec, naming the tensor.
type Inferer interface {
	NewLane(spec NetworkSpec) (Lane, error)
	Close() error
}

// Lane is a set of pre-allocated tensors bound to a network. One caller uses it
// at a time: write Input, Run, read Output. Output i belongs to spec.Outputs[i]
// and stays valid until the next Run.
type Lane interface {
	Input() []float32
	Output(i int) []float32
	Run() error
	// Wipe overwrites every tensor with zeros.
	Wipe()
	Close() error
}

// NetworkSpec says which network a lane is for and which shapes it takes.
type NetworkSpec struct {
	Name       string // for messages, from the manifest
	Key        string // identifies the model: its SHA-256
	Model      []byte // the ONNX file; not modified
	Input      TensorSpec
	Outputs    []TensorSpec
	Dequantise bool // dequantise int8 weights at load instead of at each run
}

// TensorSpec is the name and the exact shape of a float32 tensor.
type TensorSpec struct {
	Name   string
	Shape  []int64
	Stated string // where the manifest states it, e.g. "manifest.json:88"; for messages
}
