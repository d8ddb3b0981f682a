package onnx

import (
	"encoding/binary"
	"errors"
	"slices"
)

// errModel means that the bytes are no ONNX model.
var errModel = errors.New("not an ONNX model")

// Field numbers of onnx.proto (ONNX IR version 3 to 13).
const (
	modelGraph                                = 7
	graphInitializer, graphInput, graphOutput = 5, 11, 12
	initializerName                           = 8
	valueName, valueType                      = 1, 2
	typeTensor, tensorElement, tensorShape    = 1, 1, 2
	shapeDimension, dimensionValue            = 1, 1
	elementFloat                              = 1
)

// anySize is a dimension that the model leaves open.
const anySize = -1

// tensorInfo is what a model says of one of its inputs or outputs.
type tensorInfo struct {
	name    string
	element uint64 // TensorProto.DataType; 1 is float32
	shape   []int64
}

// modelHeader is what a model takes and gives.
type modelHeader struct{ inputs, outputs []tensorInfo }

// readModel reads the names, types and shapes of a model's inputs and outputs out
// of its protocol buffer. ONNX Runtime can tell them too, but only by loading the
// whole network once more, optimised and with threads of its own, which took
// twice as long as all the rest of the loading. Weights listed among the inputs
// (ONNX IR version 3) are no inputs.
func readModel(model []byte) (modelHeader, error) {
	var h modelHeader
	var weights []string
	err := eachField(model, func(number, _ uint64, graph []byte) error {
		if number != modelGraph || graph == nil {
			return nil
		}
		return eachField(graph, func(number, _ uint64, body []byte) error {
			if number != graphInitializer && number != graphInput && number != graphOutput {
				return nil
			}
			if number == graphInitializer {
				name, err := fieldOf(body, initializerName)
				weights = append(weights, string(name))
				return err
			}
			info, err := readValue(body)
			if number == graphInput {
				h.inputs = append(h.inputs, info)
			} else {
				h.outputs = append(h.outputs, info)
			}
			return err
		})
	})
	if err != nil || len(h.inputs) == 0 || len(h.outputs) == 0 {
		return modelHeader{}, errModel
	}
	h.inputs = slices.DeleteFunc(h.inputs, func(i tensorInfo) bool { return slices.Contains(weights, i.name) })
	return h, nil
}

// readValue reads a ValueInfoProto.
func readValue(value []byte) (tensorInfo, error) {
	name, err := fieldOf(value, valueName)
	if err != nil {
		return tensorInfo{}, err
	}
	info := tensorInfo{name: string(name)}
	kind, err := fieldOf(value, valueType)
	if err != nil {
		return info, err
	}
	tensor, err := fieldOf(kind, typeTensor)
	if err != nil {
		return info, err
	}
	return info, eachField(tensor, func(number, value uint64, body []byte) error {
		switch number {
		case tensorElement:
			info.element = value
		case tensorShape:
			return eachField(body, func(number, _ uint64, dimension []byte) error {
				if number == shapeDimension {
					size, err := readDimension(dimension)
					info.shape = append(info.shape, size)
					return err
				}
				return nil
			})
		}
		return nil
	})
}

func readDimension(b []byte) (int64, error) {
	size := int64(anySize)
	err := eachField(b, func(number, value uint64, _ []byte) error {
		if number == dimensionValue {
			size = int64(value)
		}
		return nil
	})
	return size, err
}

// fieldOf returns the last field of the number that holds bytes, nil when there is none.
func fieldOf(message []byte, wanted uint64) (found []byte, err error) {
	err = eachField(message, func(number, _ uint64, body []byte) error {
		if number == wanted {
			found = body
		}
		return nil
	})
	return found, err
}

// protoField is one field of a protocol buffer's message.
type protoField struct {
	number uint64
	value  uint64 // the number it holds
	body   []byte // or its bytes, not nil then
	raw    []byte // the whole field as it stands there
}

// eachField calls f for every field of a protocol buffer's message: with the
// number it holds, or with its bytes.
func eachField(message []byte, f func(number, value uint64, body []byte) error) error {
	for len(message) > 0 {
		next, err := firstField(message)
		if err != nil {
			return err
		}
		message = message[len(next.raw):]
		if err := f(next.number, next.value, next.body); err != nil {
			return err
		}
	}
	return nil
}

// firstField reads the field that a message begins with.
func firstField(message []byte) (protoField, error) {
	key, at := binary.Uvarint(message)
	if at <= 0 {
		return protoField{}, errModel
	}
	f := protoField{number: key >> 3}
	n := 0
	switch key & 7 {
	case 0: // a number
		if f.value, n = binary.Uvarint(message[at:]); n <= 0 {
			return protoField{}, errModel
		}
	case 1: // eight bytes
		n = 8
	case 2: // bytes
		size, k := binary.Uvarint(message[at:])
		if k <= 0 || size > uint64(len(message)-at-k) {
			return protoField{}, errModel
		}
		n = k + int(size)
		f.body = message[at+k : at+n : at+n]
	case 5: // four bytes
		n = 4
	default:
		return protoField{}, errModel
	}
	if n > len(message)-at {
		return protoField{}, errModel
	}
	f.raw = message[:at+n]
	return f, nil
}
