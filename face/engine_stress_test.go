package face_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
)

// moody is a runtime whose networks fail or panic now and then and otherwise
// answer nothing. It notices a lane that is used after it was closed.
type moody struct {
	calls  atomic.Int64
	open   atomic.Int64
	misuse atomic.Bool
}

var errMoody = errors.New("the runtime is in a mood")

func (m *moody) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	if m.calls.Add(1)%11 == 0 {
		return nil, errMoody
	}
	m.open.Add(1)
	l := &moodyLane{m: m, input: make([]float32, sizeOf(spec.Input))}
	for _, o := range spec.Outputs {
		l.outputs = append(l.outputs, make([]float32, sizeOf(o)))
	}
	return l, nil
}

func (*moody) Close() error { return nil }

type moodyLane struct {
	m       *moody
	input   []float32
	outputs [][]float32
	closed  atomic.Bool
}

func (l *moodyLane) Input() []float32       { return l.input }
func (l *moodyLane) Output(i int) []float32 { return l.outputs[i] }
func (l *moodyLane) Wipe()                  { clear(l.input) }

func (l *moodyLane) Run() error {
	if l.closed.Load() {
		l.m.misuse.Store(true)
	}
	switch n := l.m.calls.Add(1); {
	case n%7 == 0:
		return errMoody
	case n%13 == 0:
		panic(errMoody)
	}
	runtime.Gosched()
	return nil
}

func (l *moodyLane) Close() error {
	if l.closed.Swap(true) {
		l.m.misuse.Store(true)
	}
	l.m.open.Add(-1)
	return nil
}

// TestAnEngineIsNeverStuck: whatever callers, their contexts and the runtime do, and
// whenever several close the engine, everybody comes back and every lane is released
// once. What hangs is reported with all stacks, in place of the test's own timeout.
func TestAnEngineIsNeverStuck(t *testing.T) {
	t.Parallel()
	p, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	picture := encodeJPEG(t, image.NewGray(image.Rect(0, 0, 160, 160)))
	over := make(chan struct{})
	go func() {
		defer close(over)
		for round := range 12 {
			if err := stress(t.Context(), p, picture, round); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
	}()
	select {
	case <-over:
	case <-time.After(5 * time.Minute):
		stacks := make([]byte, 1<<20)
		t.Fatalf("somebody waits for ever:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// stress closes an engine twice while ten callers use it.
func stress(ctx context.Context, p *face.Pack, picture []byte, round int) error {
	m := &moody{}
	e, err := face.NewEngine(face.Config{Pack: p, Inferer: m, Random: &counter{}, Workers: 1 + round%3})
	if err != nil {
		return err
	}
	var callers, closers sync.WaitGroup
	var done atomic.Int64
	for i := range 10 {
		callers.Go(func() {
			for range 6 {
				use(ctx, e, picture, i)
				done.Add(1)
			}
		})
	}
	for done.Load() < int64(round*4) { // later and later
		runtime.Gosched()
	}
	var unclean atomic.Int64
	for range 2 {
		closers.Go(func() {
			if e.Close() != nil || m.open.Load() != 0 {
				unclean.Add(1)
			}
		})
	}
	closers.Wait()
	callers.Wait()
	if _, err := e.Compare(ctx, picture, picture); !errors.Is(err, face.ErrClosed) {
		return fmt.Errorf("after Close: %w", err)
	}
	if n := unclean.Load(); n > 0 || m.misuse.Load() {
		return fmt.Errorf("%d closed too early; a lane used or closed after its end: %t", n, m.misuse.Load())
	}
	return nil
}

// use compares or begins a check; a third of the callers are impatient.
func use(ctx context.Context, e *face.Engine, picture []byte, i int) {
	defer func() { _ = recover() }() // of the runtime's panic
	if i%3 == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*50*time.Microsecond)
		defer cancel()
	}
	if i%2 == 0 {
		_, _ = e.Compare(ctx, picture, picture)
		return
	}
	if c, err := e.NewCheck(ctx, picture); err == nil {
		_, _ = c.Push(ctx, face.Frame{JPEG: picture, ReceivedAt: time.Unix(1, 0)})
		c.Wipe()
	}
}
