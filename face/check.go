package face

import (
	"context"
	"errors"
	"fmt"
)

// ErrCheckOver means that a check was wiped or has already decided.
var ErrCheckOver = errors.New("face: the check is over")

// NewCheck begins a live check against the portrait, a JPEG image, with a
// challenge drawn at random. The portrait is read, not kept. ErrPortrait
// (errors.Is) when it holds no usable face.
func (e *Engine) NewCheck(ctx context.Context, portrait []byte) (*Check, error) {
	if e.random == nil {
		return nil, errors.New("face: the engine has no source of randomness")
	}
	e.randomMu.Lock()
	challenge, err := drawChallenge(e.random, e.policy.Actions, e.policy.Count)
	e.randomMu.Unlock()
	if err != nil {
		return nil, err
	}
	return e.newCheck(ctx, portrait, challenge)
}

func (e *Engine) newCheck(ctx context.Context, portrait []byte, challenge Challenge) (*Check, error) {
	c := &Check{engine: e, challenge: challenge}
	if err := c.enrol(ctx, portrait); err != nil {
		c.Wipe()
		return nil, err
	}
	return c, nil
}

// Check is one run of the live check. One goroutine uses it at a time.
type Check struct {
	engine    *Engine
	challenge Challenge
	reference []float32 // embedding of the portrait
	index     int
	over      bool
}

// enrol embeds the portrait.
func (c *Check) enrol(ctx context.Context, portrait []byte) error {
	return c.engine.with(ctx, func(k *worker) error {
		c.reference = make([]float32, k.dimensions)
		q, err := k.template(c.reference, portrait)
		if err != nil {
			return err
		}
		if !q.Usable {
			return fmt.Errorf("%w (%v)", ErrPortrait, q.Reasons)
		}
		return nil
	})
}

// Instruction returns the instruction in force. It is also the first thing to
// show, before any frame.
func (c *Check) Instruction() Instruction {
	i := Instruction{Index: c.index, Of: len(c.challenge), Action: c.challenge[c.index], Timeout: c.engine.policy.StepFor}
	if i.Action == ActionCenter {
		i.Timeout = c.engine.policy.CenterFor
	}
	return i
}

// Push examines a frame. A frame that is no usable picture is answered with a
// hint; an error means that the check cannot go on (ErrCheckOver, ErrClosed, a
// fault of the runtime) or that ctx ended.
func (c *Check) Push(ctx context.Context, f Frame) (Guidance, error) {
	if c.over {
		return Guidance{}, ErrCheckOver
	}
	return Guidance{Instruction: c.Instruction()}, ctx.Err()
}

// Decide ends the check. It refuses before Guidance.Finished and after Wipe.
func (c *Check) Decide() Decision { return Decision{Reason: ReasonNotFollowed} }

// Wipe overwrites everything the check knows. It may be called twice.
func (c *Check) Wipe() {
	clear(c.reference)
	c.over = true
}
