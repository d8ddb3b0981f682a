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
	// Measuring accepts a pack without thresholds, for ScorePairs: nothing matches.
	Measuring bool
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
	continuity Continuity
	dimensions int // of an embedding

	randomMu  sync.Mutex // guards random
	tokens    chan struct{}
	closing   chan struct{} // closed by Close
	closeOnce sync.Once
	closeErr  error      // of Close, once it is over
	mu        sync.Mutex // guards idle and closed
	idle      []*worker
	closed    bool
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
	threshold, err := cfg.threshold()
	if err != nil {
		return nil, err
	}
	if cfg.Policy.isZero() {
		cfg.Policy = DefaultPolicy()
	}
	if err := cfg.Policy.Validate(); err != nil {
		return nil, err
	}
	if cfg.Policy.Light == "" {
		cfg.Policy.Light = LightWhenAvailable
	}
	embedding, err := cfg.Pack.Manifest.network(RoleEmbedding)
	if err != nil {
		return nil, err
	}
	e := &Engine{dimensions: embedding.Dimensions, pack: cfg.Pack, inferer: cfg.Inferer, random: cfg.Random, policy: cfg.Policy,
		threshold: threshold, live: cfg.Pack.Manifest.live(threshold), continuity: cfg.Pack.Manifest.Comparison.Continuity.or(threshold), tokens: make(chan struct{}, cfg.Workers), closing: make(chan struct{})}
	for range cfg.Workers {
		e.tokens <- struct{}{}
	}
	return e, nil
}

// noCosine is a threshold that nobody reaches.
const noCosine = 2

// threshold is the one in force.
func (cfg *Config) threshold() (Threshold, error) {
	c := cfg.Pack.Manifest.Comparison
	switch {
	case len(c.Thresholds) == 0 && cfg.Measuring:
		return Threshold{Cosine: noCosine}, nil
	case len(c.Thresholds) == 0:
		return Threshold{}, ErrNotCalibrated
	case cfg.FMR == "":
		cfg.FMR = c.Default
	}
	return cfg.Pack.Manifest.threshold(cfg.FMR)
}

// Threshold returns the decision threshold in force with its error rates.
func (e *Engine) Threshold() Threshold { return e.threshold }

// PackName is the name of the model pack, PackHash what identifies it exactly.
func (e *Engine) PackName() string { return e.pack.Manifest.Name }

// PackHash is the SHA-256 of the pack's manifest, see Pack.Hash.
func (e *Engine) PackHash() string { return e.pack.Hash() }

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

// take lends an idle worker or makes one: outside the lock, since the first loads
// the networks, and the frames of other people need not wait for that.
func (e *Engine) take() (*worker, error) {
	k, err := e.takeIdle()
	if k != nil || err != nil {
		return k, err
	}
	return newWorker(e.pack, e.inferer)
}

func (e *Engine) takeIdle() (*worker, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	n := len(e.idle)
	if n == 0 {
		return nil, nil
	}
	k := e.idle[n-1]
	e.idle = e.idle[:n-1]
	return k, nil
}

func (e *Engine) giveBack(k *worker) {
	k.wipe()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, k) // also when closed: Close takes it from there
}

// Close waits for the frames under examination, then wipes and releases every
// worker: afterwards nothing uses the Inferer. Checks still open fail. Closing
// again waits for the same and does nothing more.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() { e.closeErr = e.release() })
	return e.closeErr
}

func (e *Engine) release() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
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
