package face

import (
	"errors"
	"slices"
	"time"
)

// Policy holds the rules of a live check that an operator may set. The measures
// of liveness themselves are not among them: docs/liveness.md states them.
type Policy struct {
	// Actions a challenge draws from. Default: all seven. Both turns are
	// required, because depth shows in a turn.
	Actions []Action
	// Count of actions drawn, ActionCenter aside. Default: all. Range 4 to 7,
	// which leaves an attacker who guesses the order 1 chance in 24 to 5,040.
	Count int
	// StepFor is how long one instruction may take. Default 12 s, range 4 s to 60 s.
	StepFor time.Duration
	// CenterFor is how long finding the face and its neutral may take. Default
	// 30 s, range 5 s to 120 s.
	CenterFor time.Duration
	// Light says whether the page lights the face with colours at the end and what
	// follows from it. Default LightWhenAvailable.
	Light LightRule
}

// LightRule is the operator's rule for the signal of light.
type LightRule string

// The rules. Colours that the face reflects in another order refuse under both
// that show any.
const (
	// LightOff shows no colours.
	LightOff LightRule = "off"
	// LightWhenAvailable accepts when no colour could be seen, and reports that.
	LightWhenAvailable LightRule = "when_available"
	// LightRequired refuses then, and whoever declines the colours.
	LightRequired LightRule = "required"
)

// DefaultPolicy returns the rules in force when nothing is configured.
func DefaultPolicy() Policy {
	return Policy{Actions: Actions(), Count: len(Actions()), StepFor: 12 * time.Second, CenterFor: 30 * time.Second, Light: LightWhenAvailable}
}

func (p Policy) isZero() bool {
	return p.Actions == nil && p.Count == 0 && p.StepFor == 0 && p.CenterFor == 0 && p.Light == ""
}

// Validate reports the first rule out of range.
func (p Policy) Validate() error {
	seen := map[Action]bool{}
	for _, a := range p.Actions {
		if !slices.Contains(Actions(), a) || seen[a] {
			return errors.New("face policy: unknown or repeated action")
		}
		seen[a] = true
	}
	switch {
	case !seen[ActionTurnLeft] || !seen[ActionTurnRight]:
		return errors.New("face policy: both turns are required")
	case p.Count < 4 || p.Count > len(p.Actions):
		return errors.New("face policy: count of actions out of range")
	case p.StepFor < 4*time.Second || p.StepFor > time.Minute:
		return errors.New("face policy: time for an instruction out of range")
	case p.CenterFor < 5*time.Second || p.CenterFor > 2*time.Minute:
		return errors.New("face policy: time for the neutral face out of range")
	}
	switch p.Light {
	case LightOff, LightWhenAvailable, LightRequired, "":
	default:
		return errors.New("face policy: unknown rule for light")
	}
	return nil
}
