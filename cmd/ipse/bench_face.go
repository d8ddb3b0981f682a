package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"ipse"
	"ipse/face"
	"ipse/internal/onnx"
	"ipse/internal/pii"
)

// benchTruth is what is known of a rendered sequence.
type benchTruth struct {
	Frames []struct {
		File string `json:"file"`
		TMS  int64  `json:"t_ms"`
	} `json:"frames"`
	Actions []struct {
		Action face.Action `json:"action"`
		TMS    [2]int64    `json:"t_ms"`
	} `json:"actions"`
}

// benchRun is the recording that the face is measured on.
type benchRun struct {
	portrait []byte
	frames   [][]byte
	at       []time.Duration
	given    []face.Given
}

func readBenchRun() (*benchRun, error) {
	raw, err := ipse.DemoPeople.ReadFile(benchPerson + "live/truth.json")
	if err != nil {
		return nil, err
	}
	var truth benchTruth
	if err := json.Unmarshal(raw, &truth); err != nil {
		return nil, err
	}
	r := &benchRun{}
	for _, a := range truth.Actions {
		if len(r.given) == 0 || r.given[len(r.given)-1].Action != a.Action {
			r.given = append(r.given, face.Given{Action: a.Action, At: time.Duration(a.TMS[0]-80) * time.Millisecond})
		}
	}
	for _, f := range truth.Frames {
		jpeg, err := ipse.DemoPeople.ReadFile(benchPerson + "live/" + f.File)
		if err != nil {
			return nil, err
		}
		r.frames, r.at = append(r.frames, jpeg), append(r.at, time.Duration(f.TMS)*time.Millisecond)
	}
	r.portrait, err = ipse.DemoPeople.ReadFile(benchPerson + "portrait.jpg")
	return r, err
}

// meter is the runtime with a look at the processor time around each run of a
// network, so that what this program adds to it can be told. One goroutine, locked
// to its thread, uses it.
type meter struct {
	*onnx.Runtime
	spent time.Duration // in networks
	runs  int
}

type meteredLane struct {
	face.Lane
	meter *meter
}

// NewLane implements face.Inferer.
func (m *meter) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	lane, err := m.Runtime.NewLane(spec)
	return meteredLane{lane, m}, err
}

// Run implements face.Lane.
func (l meteredLane) Run() error {
	before := threadCPU()
	err := l.Lane.Run()
	l.meter.spent += threadCPU() - before
	l.meter.runs++
	return err
}

// face measures each stage of a frame and whole live checks of a rendered person,
// or, with --sessions, how much memory many checks take.
func (cmd benchCmd) face(c *cliContext) ([]figure, error) {
	run, err := readBenchRun()
	if err != nil {
		return nil, err
	}
	networks, err := packFlag{}.load()
	if err != nil {
		return nil, err
	}
	rt, err := onnx.New(onnx.Config{})
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread() // threadCPU is this one's
	defer runtime.UnlockOSThread()
	m := &meter{Runtime: rt}
	began := processCPU()
	var out []figure
	err = errors.Join(runEngine(c, face.Config{Pack: networks, Inferer: m}, func(e *face.Engine) error {
		out = append(out, figureOf("face: load runtime and networks, CPU", []time.Duration{processCPU() - began}, ""))
		measure := cmd.checks
		if cmd.Sessions > 0 {
			measure = cmd.sessions
		}
		figures, err := measure(c, e, m, run)
		out = append(out, figures...)
		return err
	}), rt.Close())
	return out, err
}

// checks measures the stages one by one and then whole checks.
func (cmd benchCmd) checks(c *cliContext, e *face.Engine, m *meter, run *benchRun) ([]figure, error) {
	var out []figure
	err := e.Stages(c.Context, run.frames[0], func(stages []face.Stage) error {
		for _, stage := range stages {
			f, err := cmd.stage(c, m, stage)
			if err != nil {
				return err
			}
			out = append(out, f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var begin, frames, decide, cpu []time.Duration
	var thread time.Duration
	m.spent, m.runs = 0, 0
	for i := range max(1, cmd.For/10) {
		c.progress("check %d", i+1)
		before, onThread := processCPU(), threadCPU()
		laps, err := run.check(c, e)
		if err != nil {
			return nil, err
		}
		cpu, thread = append(cpu, processCPU()-before), thread+threadCPU()-onThread
		begin, frames, decide = append(begin, laps.begin), append(frames, laps.frames...), append(decide, laps.decide)
	}
	perFrame := figureOf("face: one frame, one core", frames, "")
	perFrame.Note = fmt.Sprintf("%.0f frames/s", 1000/perFrame.Median)
	return append(out, figureOf("face: portrait", begin, ""), perFrame, figureOf("face: decision after the last frame", decide, ""),
		figureOf(fmt.Sprintf("face: check of %d frames and a portrait, CPU", len(frames)/len(cpu)), cpu, fmt.Sprintf("of which %d runs of networks %.0f ms; the same thread beside them %.1f %% of that",
			m.runs/len(cpu), m.spent.Seconds()*1000/float64(len(cpu)), 100*(thread.Seconds()/m.spent.Seconds()-1)))), nil
}

// stage measures the processor time of one part of a frame, and the share of the
// networks in it.
func (cmd benchCmd) stage(c *cliContext, m *meter, stage face.Stage) (figure, error) {
	m.spent = 0
	var all time.Duration
	took := make([]time.Duration, 0, cmd.For)
	_, err := timed(c, cmd.For, func() error {
		before := threadCPU()
		err := stage.Run()
		took = append(took, threadCPU()-before)
		all += took[len(took)-1]
		return err
	})
	note := "no network"
	if m.spent > 0 {
		note = fmt.Sprintf("%.1f %% beside the network", 100*(1-m.spent.Seconds()/all.Seconds()))
	}
	return figureOf("face: "+stage.Name+", CPU", took, note), err
}

// laps is how long the parts of one check took.
type laps struct {
	begin, decide time.Duration
	frames        []time.Duration
}

// check is one whole live check, accepted. Each frame is a copy, wiped as a
// server wipes what it received.
func (r *benchRun) check(c *cliContext, e *face.Engine) (l laps, err error) {
	began := time.Now()
	check, err := e.NewRecordedCheck(c.Context, r.portrait, r.given, nil)
	if err != nil {
		return l, err
	}
	defer check.Wipe()
	l.begin = time.Since(began)
	for i, frame := range r.frames {
		jpeg := bytes.Clone(frame)
		now := time.Now()
		guidance, err := check.Push(c.Context, face.Frame{JPEG: jpeg, CapturedAt: r.at[i], ReceivedAt: time.Unix(0, 0).Add(r.at[i])})
		pii.Wipe(jpeg)
		if err != nil {
			return l, err
		}
		l.frames = append(l.frames, time.Since(now))
		if guidance.Finished {
			break
		}
	}
	now := time.Now()
	decision := check.Decide()
	l.decide = time.Since(now)
	if !decision.Accepted {
		return l, fmt.Errorf("%w: %s", errBenchRefused, decision.Reason)
	}
	return l, nil
}

var errBenchRefused = errors.New("the rendered person is refused")

// sessions repeats checks of the first frames and reads how much memory the process
// takes after each tenth of them.
func (cmd benchCmd) sessions(c *cliContext, e *face.Engine, _ *meter, run *benchRun) ([]figure, error) {
	const frames = 5
	short := *run
	short.frames = run.frames[:min(frames, len(run.frames))]
	var took []time.Duration
	resident := ""
	for i := range cmd.Sessions {
		c.progress("session %d of %d", i+1, cmd.Sessions)
		began := time.Now()
		if _, err := short.check(c, e); !errors.Is(err, errBenchRefused) {
			return nil, fmt.Errorf("a check that was broken off: %w", err)
		}
		took = append(took, time.Since(began))
		if i%max(1, cmd.Sessions/10) == 0 || i == cmd.Sessions-1 {
			resident += fmt.Sprintf(" %d", residentMB())
		}
	}
	return []figure{figureOf(fmt.Sprintf("face: session of a portrait and %d frames", len(short.frames)), took,
		"resident MB after the first, each tenth and all:"+resident)}, nil
}

// residentMB is the memory that the process takes, 0 where that is not known.
func residentMB() int {
	b, err := os.ReadFile("/proc/self/statm")
	var size, resident int
	if _, scan := fmt.Sscan(string(b), &size, &resident); err != nil || scan != nil {
		return 0
	}
	return resident * os.Getpagesize() >> 20
}
