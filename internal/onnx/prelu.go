package onnx

import (
	"encoding/binary"
	"math"
	"runtime"
	"slices"
)

// More field numbers of onnx.proto.
const (
	graphNode                           = 1
	nodeInput, nodeOutput               = 1, 2
	nodeOperator, nodeAttribute         = 4, 5
	attributeName, attributeNumber      = 1, 3
	attributeNumbers, attributeType     = 8, 20
	typeNumber, typeNumbers             = 2, 7
	initializerSizes, initializerFormat = 1, 2
	initializerFloats, initializerRaw   = 4, 9
)

// preluBlock is what the number of channels must be a multiple of: in blocks of 8
// or 16 channels does ONNX Runtime keep pictures between convolutions on amd64.
const preluBlock = 16

// withoutPRelu writes a model's PRelu nodes, with constant slopes a, one a channel,
// as what they compute:
//
//	y = x + (1-a) relu(-x)
//
// of which each product is a convolution of one point and one channel. ONNX Runtime
// runs convolutions, together with the relu and the sum after them, on pictures in
// blocks of channels; it has no such PRelu, and so turned every picture round before
// and after each. Sums come in another order: results differ in the last bits. The
// model is returned as it is where nothing can be rewritten, and on processors for
// which the runtime has no such blocks.
func withoutPRelu(model []byte) ([]byte, error) {
	if runtime.GOARCH != "amd64" {
		return model, nil
	}
	graph, err := fieldOf(model, modelGraph)
	if err != nil {
		return nil, err
	}
	slopes, err := readSlopes(graph)
	if err != nil || len(slopes) == 0 {
		return model, err
	}
	var out []byte
	for rest := model; len(rest) > 0; {
		f, err := firstField(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[len(f.raw):]
		if f.number != modelGraph || f.body == nil {
			out = append(out, f.raw...)
			continue
		}
		if out, err = appendRewritten(out, f.body, len(rest), slopes); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// appendRewritten appends a graph with other nodes in the places of PRelu nodes and
// makes room for as much more as follows. Its weights, nearly all of it, are copied once.
func appendRewritten(out, graph []byte, follows int, slopes map[string][]float32) ([]byte, error) {
	type cut struct{ from, to int }
	var cuts []cut
	var parts [][]byte
	grown := 0
	for at := 0; at < len(graph); {
		f, err := firstField(graph[at:])
		if err != nil {
			return nil, err
		}
		from := at
		at += len(f.raw)
		if f.number != graphNode || f.body == nil {
			continue
		}
		n, err := readNode(f.body)
		if err != nil {
			return nil, err
		}
		if a := slopes[n.slope]; n.operator == "PRelu" && len(a) > 0 {
			cuts, parts = append(cuts, cut{from, at}), append(parts, n.appendParts(nil, a))
			grown += len(parts[len(parts)-1]) - len(f.raw)
		}
	}
	out = slices.Grow(out, len(graph)+grown+binary.MaxVarintLen64+1+follows)
	out = binary.AppendUvarint(out, modelGraph<<3|2)
	out = binary.AppendUvarint(out, uint64(len(graph)+grown))
	kept := 0
	for i, c := range cuts {
		out = append(append(out, graph[kept:c.from]...), parts[i]...)
		kept = c.to
	}
	return append(out, graph[kept:]...), nil
}

// preluNode is what a node's rewriting wants to know.
type preluNode struct{ operator, input, slope, output string }

func readNode(node []byte) (n preluNode, err error) {
	inputs := 0
	return n, eachField(node, func(number, _ uint64, body []byte) error {
		switch number {
		case nodeInput:
			if inputs++; inputs == 1 {
				n.input = string(body)
			} else {
				n.slope = string(body)
			}
		case nodeOutput:
			n.output = string(body)
		case nodeOperator:
			n.operator = string(body)
		}
		return nil
	})
}

// appendParts appends the nodes that compute the PRelu, and their constants.
func (n preluNode) appendParts(graph []byte, slopes []float32) []byte {
	const minus, rest, negative, positive, share = "/minus", "/rest", "/negative", "/positive", "/share"
	ones, others := make([]float32, len(slopes)), make([]float32, len(slopes))
	for i, a := range slopes {
		ones[i], others[i] = -1, 1-a
	}
	name := func(part string) string { return n.output + part }
	graph = appendConstant(graph, name(minus), ones)
	graph = appendConstant(graph, name(rest), others)
	graph = appendNode(graph, "Conv", []string{n.input, name(minus)}, name(negative), len(slopes))
	graph = appendNode(graph, "Relu", []string{name(negative)}, name(positive), 0)
	graph = appendNode(graph, "Conv", []string{name(positive), name(rest)}, name(share), len(slopes))
	return appendNode(graph, "Add", []string{name(share), n.input}, n.output, 0)
}

// appendNode appends a node; groups, unless 0, makes it a convolution of one point.
func appendNode(graph []byte, operator string, inputs []string, output string, groups int) []byte {
	var node []byte
	for _, in := range inputs {
		node = appendBytes(node, nodeInput, []byte(in))
	}
	node = appendBytes(node, nodeOutput, []byte(output))
	node = appendBytes(node, nodeOperator, []byte(operator))
	if groups > 0 {
		group := appendNumber(appendBytes(nil, attributeName, []byte("group")), attributeNumber, uint64(groups))
		node = appendBytes(node, nodeAttribute, appendNumber(group, attributeType, typeNumber))
		kernel := appendBytes(nil, attributeName, []byte("kernel_shape"))
		kernel = appendNumber(appendNumber(kernel, attributeNumbers, 1), attributeNumbers, 1)
		node = appendBytes(node, nodeAttribute, appendNumber(kernel, attributeType, typeNumbers))
	}
	return appendBytes(graph, graphNode, node)
}

// appendConstant appends an initializer of the shape channels x 1 x 1 x 1.
func appendConstant(graph []byte, name string, v []float32) []byte {
	var t []byte
	for _, size := range []int{len(v), 1, 1, 1} {
		t = appendNumber(t, initializerSizes, uint64(size))
	}
	t = appendNumber(t, initializerFormat, elementFloat)
	t = appendBytes(t, initializerName, []byte(name))
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return appendBytes(graph, graphInitializer, appendBytes(t, initializerRaw, raw))
}

// readSlopes reads those constants of a graph that can be slopes of PRelu nodes, one
// a channel.
func readSlopes(graph []byte) (map[string][]float32, error) {
	wanted := map[string]bool{}
	err := eachField(graph, func(number, _ uint64, body []byte) error {
		if number != graphNode || body == nil {
			return nil
		}
		n, err := readNode(body)
		if n.operator == "PRelu" {
			wanted[n.slope] = true
		}
		return err
	})
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	slopes := map[string][]float32{}
	return slopes, eachField(graph, func(number, _ uint64, body []byte) error {
		if number != graphInitializer || body == nil {
			return nil
		}
		name, err := fieldOf(body, initializerName)
		if err != nil || !wanted[string(name)] {
			return err
		}
		v, err := readConstant(body)
		if len(v) > 0 {
			slopes[string(name)] = v
		}
		return err
	})
}

// readConstant reads a tensor of the shape [1 x] channels x 1 x 1, of float32; it is
// empty where the tensor is another.
func readConstant(tensor []byte) (v []float32, err error) {
	sizes, format, raw, err := tensorParts(tensor)
	if len(sizes) == 4 && sizes[0] == 1 {
		sizes = sizes[1:]
	}
	if err != nil || format != elementFloat || len(sizes) != 3 || sizes[1] != 1 || sizes[2] != 1 ||
		sizes[0] == 0 || sizes[0]%preluBlock != 0 || uint64(len(raw)) != 4*sizes[0] {
		return nil, err
	}
	v = make([]float32, sizes[0])
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v, nil
}

// tensorParts takes a tensor's message apart: its sizes, the format of its elements,
// and the elements as they are written.
func tensorParts(tensor []byte) (sizes []uint64, format uint64, raw []byte, err error) {
	err = eachField(tensor, func(number, value uint64, body []byte) error {
		switch {
		case number == initializerSizes && body == nil:
			sizes = append(sizes, value)
		case number == initializerSizes: // packed
			for len(body) > 0 {
				size, n := binary.Uvarint(body)
				if n <= 0 {
					return errModel
				}
				sizes, body = append(sizes, size), body[n:]
			}
		case number == initializerFormat:
			format = value
		case number == initializerRaw || number == initializerFloats && body != nil: // packed floats are as raw ones
			raw = body
		}
		return nil
	})
	return sizes, format, raw, err
}

// appendBytes and appendNumber append one field to a protocol buffer's message.
func appendBytes(message []byte, number uint64, body []byte) []byte {
	message = binary.AppendUvarint(message, number<<3|2)
	return append(binary.AppendUvarint(message, uint64(len(body))), body...)
}

func appendNumber(message []byte, number, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(message, number<<3), value)
}
