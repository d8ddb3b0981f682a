package face_test

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"sync/atomic"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
)

// slowInferer's networks answer nothing but take as long as they are told to.
type slowInferer struct {
	began, goOn   chan struct{}
	running, open atomic.Int32
	closedInUse   atomic.Bool
}

func (s *slowInferer) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	s.open.Add(1)
	l := &slowLane{s: s, input: make([]float32, sizeOf(spec.Input))}
	for _, o := range spec.Outputs {
		l.outputs = append(l.outputs, make([]float32, sizeOf(o)))
	}
	return l, nil
}

func (*slowInferer) Close() error { return nil }

func sizeOf(t face.TensorSpec) int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

type slowLane struct {
	s       *slowInferer
	input   []float32
	outputs [][]float32
}

func (l *slowLane) Input() []float32       { return l.input }
func (l *slowLane) Output(i int) []float32 { return l.outputs[i] }

func (l *slowLane) Run() error {
	l.s.running.Add(1)
	defer l.s.running.Add(-1)
	l.s.began <- struct{}{}
	<-l.s.goOn
	return nil
}

func (l *slowLane) Wipe() { clear(l.input) }

func (l *slowLane) Close() error {
	if l.s.running.Load() > 0 {
		l.s.closedInUse.Store(true)
	}
	l.s.open.Add(-1)
	return nil
}

// TestAnEngineIsClosedWhenNobodyUsesItAnyMore: the runtime is taken down after
// it, and a network that is executed then would be one of freed memory.
func TestAnEngineIsClosedWhenNobodyUsesItAnyMore(t *testing.T) {
	t.Parallel()
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowInferer{began: make(chan struct{}, 16), goOn: make(chan struct{})}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: slow, Random: &counter{}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 320, 320)), nil); err != nil {
		t.Fatal(err)
	}
	checked, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := e.NewCheck(t.Context(), picture.Bytes())
		checked <- err
	}()
	<-slow.began
	go func() { closed <- e.Close() }()
	select {
	case <-closed:
		t.Error("closed while a network runs")
	case <-time.After(50 * time.Millisecond):
	}
	if _, err := e.NewCheck(t.Context(), picture.Bytes()); !errors.Is(err, face.ErrClosed) {
		t.Errorf("a check begun meanwhile: %v", err)
	}
	close(slow.goOn)
	if err := <-checked; err == nil {
		t.Error("a picture without a face serves as a portrait")
	}
	if len(closed) == 0 {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	if err := e.Close(); err != nil || slow.closedInUse.Load() || slow.open.Load() != 0 {
		t.Errorf("closed again: %v; in use: %t, lanes left open: %d", err, slow.closedInUse.Load(), slow.open.Load())
	}
}
