package face

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A pack may hold a network that tells a live face from a picture of one in a
// single frame (RolePassive). Such networks see what they were trained on: alone
// they catch prints and poor screens and miss good ones, so theirs is one opinion
// among the signals, and only a network whose manifest says so takes part in the
// decision.
const (
	passiveSamples = 16 // frames judged in a run
	passiveNeeded  = 3
)

// ManifestPassive says how a passive network is used.
type ManifestPassive struct {
	// Classes is the length of the output; Live the place of the live class in it.
	Classes int `json:"classes"`
	Live    int `json:"live"`
	// Softmax is for a network that gives no probabilities itself.
	Softmax bool `json:"softmax,omitempty"`
	// Margin is the side of the square crop over the longer side of the face's box,
	// 1 to 4.
	Margin float32 `json:"margin"`
	// Threshold is the least median probability of live over a run, between 0 and 1.
	Threshold float32 `json:"threshold"`
	// Decides makes the network one of the signals that must all pass; otherwise its
	// opinion is reported and changes nothing.
	Decides bool `json:"decides,omitempty"`
	// Measured says on what, by whom, and with which error rates.
	Measured string `json:"measured"`
}

// validatePassive checks the conventions of a passive network.
func (n ManifestNetwork) validatePassive() error {
	p, in := n.Passive, n.Input
	switch {
	case p == nil:
		return errors.New(`a passive network states how it is used, "passive": {...}`)
	case in.Width != in.Height || in.Width < 32 || in.Width > 512:
		return errors.New("a passive network takes a square of 32 to 512 pixels")
	case in.Scale == 0 || len(n.Outputs) != 1:
		return errors.New("a passive network takes pixels on a scale other than 0 and gives one output")
	case p.Classes < 2 || p.Classes > 16 || p.Live < 0 || p.Live >= p.Classes:
		return errors.New("a passive network tells 2 to 16 classes apart, one of them live")
	case !(p.Margin >= 1 && p.Margin <= 4) || !(p.Threshold > 0 && p.Threshold < 1):
		return errors.New("margin (1 to 4) or threshold (above 0, below 1) of a passive network is out of range")
	case p.Measured == "":
		return errors.New("a passive network states what was measured; say so where nothing was")
	}
	return nil
}

// passiveLane is the network on a worker.
type passiveLane struct {
	lane   Lane
	use    ManifestPassive
	size   int
	format tensorFormat
}

// passive opens the pack's passive network, or returns nil where it has none.
func (k *worker) openPassive() error {
	n, err := k.pack.Manifest.network(RolePassive)
	if err != nil {
		return nil // optional
	}
	size := int64(n.Input.Width)
	spec, err := k.pack.spec(RolePassive, []int64{1, 3, size, size}, [][]int64{{1, int64(n.Passive.Classes)}})
	if err != nil {
		return err
	}
	lane, err := k.inferer.NewLane(spec)
	if err != nil {
		return err
	}
	k.passive = &passiveLane{lane, *n.Passive, n.Input.Width, tensorFormat{bgr: n.Input.Order == "BGR", mean: n.Input.Mean, scale: n.Input.Scale}}
	return nil
}

// live returns the probability that the face in the box is a live one.
func (l *passiveLane) live(p *picture, box detection) (float32, error) {
	side := max(box.w, box.h) * l.use.Margin
	p.warp(l.lane.Input(), l.size, l.size, cropAffine(box.x+box.w/2, box.y+box.h/2, side, 0, l.size, false), l.format)
	if err := l.lane.Run(); err != nil {
		return 0, fmt.Errorf("face: passive network: %w", err)
	}
	out := l.lane.Output(0)
	v := out[l.use.Live]
	if l.use.Softmax {
		var sum float64
		for _, o := range out {
			sum += math.Exp(float64(o - v))
		}
		v = float32(1 / sum)
	}
	if v != v { // not a number is no opinion in favour
		return 0, nil
	}
	return min(max(v, 0), 1), nil
}

// passiveRun collects a network's opinions over a run.
type passiveRun struct {
	scores [passiveSamples]float32
	count  int
}

func (r *passiveRun) take(k *worker, box detection) error {
	if k.passive == nil || r.count == passiveSamples {
		return nil
	}
	v, err := k.passive.live(&k.picture, box)
	if err != nil {
		return err
	}
	r.scores[r.count] = v
	r.count++
	return nil
}

func (r *passiveRun) median() float32 {
	if r.count == 0 {
		return 0
	}
	list := r.scores
	slices.Sort(list[:r.count])
	return list[r.count/2]
}

// PassiveReport is what the pack's passive network said.
type PassiveReport struct {
	Samples   int     `json:"samples"`
	Live      float32 `json:"live"` // median probability
	Threshold float32 `json:"threshold"`
	Decides   bool    `json:"decides"`
}

// passiveSignal weighs the network's opinion; ok is false without a network.
func (c *Check) passiveSignal() (s signal, ok bool) {
	n, err := c.engine.pack.Manifest.network(RolePassive)
	if err != nil {
		return s, false
	}
	r := PassiveReport{c.passive.count, c.passive.median(), n.Passive.Threshold, n.Passive.Decides}
	c.report.Passive = &r
	s = signal{name: "passive", passed: r.Samples >= passiveNeeded && r.Live >= r.Threshold, reason: ReasonNotLive}
	if s.advisory = !r.Decides; s.advisory {
		s.note = "advisory"
	}
	return s, true
}
