package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/config"
	"ipse/internal/onnx"
	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
)

// models is proofing.FaceChecker over the face engine. The networks are loaded
// when somebody begins a check with the camera, so that a server starts at once
// and stays small until then.
type models struct {
	cfg  config.Face
	own  *face.Pack // of the configuration; nil for the built-in one
	from string     // folder whose node_modules may hold ONNX Runtime; empty for none
	rand io.Reader
	now  func() time.Time
	log  *slog.Logger

	mu      sync.Mutex // guards what follows
	loading chan struct{}
	runtime *onnx.Runtime
	engine  *face.Engine
	err     error // of the last attempt to load
	failed  time.Time
	closed  bool
}

// loadAgain is how long a failure to load is remembered.
const loadAgain = 30 * time.Second

// newModels refuses a pack of the operator's that is not as its manifest says: a
// server that starts offers the camera route.
func newModels(cfg config.Face, from string, random io.Reader, now func() time.Time, log *slog.Logger) (*models, error) {
	m := &models{cfg: cfg, from: from, rand: random, now: now, log: log}
	if cfg.Pack == "" {
		return m, nil
	}
	own, err := face.LoadPack(os.DirFS(cfg.Pack))
	if err != nil {
		return nil, fmt.Errorf("face.pack: %w", err)
	}
	if !slices.ContainsFunc(own.Manifest.Comparison.Thresholds, func(t face.Threshold) bool { return t.FMR == cfg.FMR }) {
		return nil, fmt.Errorf("face.pack: the manifest states no threshold for face.fmr %s", cfg.FMR)
	}
	m.own = own
	return m, nil
}

// prepare begins to load the networks, if that has not been done.
func (m *models) prepare() { _ = m.begin() }

// begin starts loading and returns a channel that is closed when that is over.
func (m *models) begin() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	over := make(chan struct{})
	if m.closed || m.engine != nil || (m.err != nil && m.now().Sub(m.failed) < loadAgain) {
		close(over)
		return over
	}
	if m.loading == nil {
		m.loading = over
		go m.load(over)
	}
	return m.loading
}

func (m *models) load(over chan struct{}) {
	began := m.now()
	library, engine, err := m.open()
	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(over)
	m.loading = nil
	if err == nil && m.closed {
		if err := errors.Join(engine.Close(), library.Close()); err != nil {
			m.log.Error("release the face models", "error", err)
		}
		return
	}
	if err != nil {
		m.err, m.failed = err, m.now()
		m.log.Error("face models not loaded: the camera route is out of service", "error", err)
		return
	}
	m.runtime, m.engine, m.err = library, engine, nil
	m.log.Info("face models loaded", "ms", m.now().Sub(began).Milliseconds(), "fmr", engine.Threshold().FMR, "pack", engine.PackName(), "hash", engine.PackHash())
}

// open loads ONNX Runtime and the pack. It runs in a goroutine of its own: a panic
// there would end the whole server, so one is a failure to load.
func (m *models) open() (_ *onnx.Runtime, _ *face.Engine, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("loading the face models panicked: %v", pii.Fault(p))
		}
	}()
	library := m.cfg.Runtime
	if library == "" {
		if library, err = onnx.Locate(m.from); err != nil {
			return nil, nil, err
		}
	}
	if library, err = filepath.Abs(library); err != nil {
		return nil, nil, fmt.Errorf("locate ONNX Runtime: %w", err)
	}
	networks := m.own
	if networks == nil {
		if networks, err = pack.Default(); err != nil {
			return nil, nil, err
		}
	}
	rt, err := onnx.New(onnx.Config{Library: library})
	if err != nil {
		return nil, nil, err
	}
	engine, err := face.NewEngine(face.Config{Pack: networks, Inferer: rt, Random: m.rand, Workers: runtime.GOMAXPROCS(0), FMR: m.cfg.FMR, Policy: facePolicy(m.cfg)})
	if err == nil {
		err = engine.Warm(context.Background())
	}
	if err != nil {
		if engine != nil {
			err = errors.Join(err, engine.Close())
		}
		return nil, nil, errors.Join(err, rt.Close())
	}
	return rt, engine, nil
}

// facePolicy is the default policy with what the configuration says of it.
func facePolicy(cfg config.Face) face.Policy {
	p := face.DefaultPolicy()
	p.Light = face.LightRule(cfg.Light)
	return p
}

// faceSteps is how many instructions a run has.
func faceSteps(cfg config.Face) int {
	p := facePolicy(cfg)
	steps := p.Count + 1 // and looking straight ahead
	if p.Light != face.LightOff {
		steps++
	}
	return steps
}

// ready waits for the engine.
func (m *models) ready(ctx context.Context) (*face.Engine, error) {
	select {
	case <-m.begin():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.engine == nil {
		return nil, problem.New(problem.Unavailable, errors.Join(errors.New("face models"), m.err))
	}
	return m.engine, nil
}

// close releases the networks; a load under way releases its own.
func (m *models) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if m.engine == nil {
		return nil
	}
	err := errors.Join(m.engine.Close(), m.runtime.Close())
	m.engine, m.runtime = nil, nil
	return err
}

// NewCheck implements proofing.FaceChecker.
func (m *models) NewCheck(ctx context.Context, portrait pii.Bytes) (proofing.FaceCheck, error) {
	defer portrait.Wipe() // the engine keeps none of it
	engine, err := m.ready(ctx)
	if err != nil {
		return nil, err
	}
	check, err := engine.NewCheck(ctx, portrait.Reveal())
	if errors.Is(err, face.ErrPortrait) {
		return nil, fmt.Errorf("%w: %w", proofing.ErrPortrait, err)
	}
	if err != nil {
		return nil, err
	}
	return liveCheck{check}, nil
}

// liveCheck is a face.Check in proofing's words, which are the same.
type liveCheck struct{ check *face.Check }

// Instruction implements proofing.FaceCheck.
func (c liveCheck) Instruction() proofing.Instruction { return instruction(c.check.Instruction()) }

func instruction(i face.Instruction) proofing.Instruction {
	return proofing.Instruction{Index: i.Index, Of: i.Of, Action: string(i.Action), Timeout: i.Timeout}
}

// DeclineLight implements proofing.FaceCheck.
func (c liveCheck) DeclineLight() { c.check.DeclineLight() }

// Push implements proofing.FaceCheck.
func (c liveCheck) Push(ctx context.Context, f proofing.Frame) (proofing.Guidance, error) {
	g, err := c.check.Push(ctx, face.Frame{JPEG: f.JPEG.Reveal(), CapturedAt: f.CapturedAt, ReceivedAt: f.ReceivedAt})
	return proofing.Guidance{Instruction: instruction(g.Instruction), Hint: string(g.Hint), StepDone: g.StepDone,
		DoneIndex: g.DoneIndex, Light: g.Light, Finished: g.Finished}, err
}

// Decide implements proofing.FaceCheck.
func (c liveCheck) Decide() proofing.FaceDecision {
	d := c.check.Decide()
	return proofing.FaceDecision{Accepted: d.Accepted, Reason: proofing.Reason(d.Reason)}
}

// Wipe implements proofing.FaceCheck.
func (c liveCheck) Wipe() { c.check.Wipe() }
