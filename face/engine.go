package face

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Config of an Engine.
type Config struct {
	// Pack of networks, required.
	Pack *Pack
	// Inferer executes them, required. The engine does not close it.
	Inferer Inferer
	// Random is where challenges are drawn from, required for NewCheck.
	Random io.Reader
	// Workers is how many frames are examined at once: about one a CPU core.
	// Default 2, range 1 to 256. Each takes some 3 MB.
	Workers int
	// FMR is the false match rate whose threshold is in force, one of the
	// manifest's, e.g. "1:10000". Default: the manifest's default.
	FMR string
	// Policy of live checks. The zero value means DefaultPolicy.
	Policy Policy
}

// ErrClosed is returned by an engine after Close.
var ErrClosed = errors.New("face: engine is closed")

// Engine compares faces one to one and runs live checks. It is safe for
// concurrent use.
type Engine struct {
	pack       *Pack
	inferer    Inferer
	random     io.Reader
	policy     Policy
	threshold  Threshold
	live       Threshold // of the mean of several frames
	dimensions int       // of an embedding

	randomMu sync.Mutex // guards random
	tokens   chan struct{}
	closing  chan struct{} // closed by Close
	mu       sync.Mutex    // guards idle and closed
	idle     []*worker
	closed   bool
}

// NewEngine checks cfg and returns an engine. It loads no network yet: the first
// use does, or Warm.
func NewEngine(cfg Config) (*Engine, error) {
	if cfg.Pack == nil || cfg.Inferer == nil {
		return nil, errors.New("face: an engine needs a pack and an inferer")
	}
	if cfg.Workers == 0 {
		cfg.Workers = 2
	}
	if cfg.Workers < 1 || cfg.Workers > 256 {
		return nil, errors.New("face: workers out of range")
	}
	if cfg.FMR == "" {
		cfg.FMR = cfg.Pack.Manifest.Comparison.Default
	}
	threshold, err := cfg.Pack.Manifest.threshold(cfg.FMR)
	if err != nil {
		return nil, err
	}
	if cfg.Policy.isZero() {
		cfg.Policy = DefaultPolicy()
	}
	if err := cfg.Policy.Validate(); err != nil {
		return nil, err
	}
	embedding, err := cfg.Pack.Manifest.network(RoleEmbedding)
	if err != nil {
		return nil, err
	}
	e := &Engine{dimensions: embedding.Dimensions, live: cfg.Pack.Manifest.live(threshold), pack: cfg.Pack, inferer: cfg.Inferer, random: cfg.Random, policy: cfg.Policy,
		threshold: threshold, tokens: make(chan struct{}, cfg.Workers), closing: make(chan struct{})}
	for range cfg.Workers {
		e.tokens <- struct{}{}
	}
	return e, nil
}

// Threshold returns the decision threshold in force with its error rates.
func (e *Engine) Threshold() Threshold { return e.threshold }

// Policy returns the policy of live checks.
func (e *Engine) Policy() Policy { return e.policy }

// Warm loads every network, so that the first frame does not wait for it. It
// fails when a model is not of the manifest's shape.
func (e *Engine) Warm(ctx context.Context) error {
	return e.with(ctx, func(k *worker) error {
		_, err := k.detectorLane(detectorLong, 256)
		return err
	})
}

// with lends a worker to f and wipes it afterwards, whatever happens. It waits
// for a free one until ctx ends.
func (e *Engine) with(ctx context.Context, f func(*worker) error) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("face: wait for a worker: %w", ctx.Err())
	case <-e.closing:
		return ErrClosed
	case <-e.tokens:
	}
	defer func() { e.tokens <- struct{}{} }()
	k, err := e.take()
	if err != nil {
		return err
	}
	defer e.giveBack(k)
	return f(k)
}

func (e *Engine) take() (*worker, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if n := len(e.idle); n > 0 {
		k := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return k, nil
	}
	return newWorker(e.pack, e.inferer)
}

func (e *Engine) giveBack(k *worker) {
	k.wipe()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, k) // also when closed: Close takes it from there
}

// Close waits for the frames under examination, then wipes and releases every
// worker: afterwards nothing uses the Inferer. Checks still open fail. Closing
// again does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if again {
		return nil
	}
	close(e.closing)
	for range cap(e.tokens) { // each is given back within one frame's time
		<-e.tokens
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, k := range e.idle {
		errs = append(errs, k.close())
	}
	e.idle = nil
	return errors.Join(errs...)
}
