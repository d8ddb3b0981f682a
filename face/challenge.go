package face

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Action is something a person is asked to do.
type Action string

// The actions. ActionCenter begins every challenge: it measures the person's
// own neutral face, to which all others are relative.
const (
	ActionCenter    Action = "center"
	ActionTurnLeft  Action = "turnLeft" // to the person's own left
	ActionTurnRight Action = "turnRight"
	ActionLookUp    Action = "lookUp"
	ActionLookDown  Action = "lookDown"
	ActionSmile     Action = "smile"
	ActionOpenMouth Action = "openMouth"
	ActionBlink     Action = "blink"
	// ActionLight ends a challenge where the policy has it: the person only looks
	// at the screen, which changes its colour.
	ActionLight Action = "light"
)

// Actions lists the actions that a challenge may draw, ActionCenter aside.
func Actions() []Action {
	return []Action{ActionTurnLeft, ActionTurnRight, ActionLookUp, ActionLookDown, ActionSmile, ActionOpenMouth, ActionBlink}
}

// Challenge is an order of actions; the first is ActionCenter.
type Challenge []Action

// ErrChallenge means that a challenge is empty, does not begin with ActionCenter
// or holds an unknown action.
var ErrChallenge = errors.New("face: unusable challenge")

func (c Challenge) validate() error {
	if len(c) < 2 || c[0] != ActionCenter {
		return ErrChallenge
	}
	for _, a := range c[1:] {
		if !slices.Contains(Actions(), a) {
			return ErrChallenge
		}
	}
	return nil
}

// drawChallenge takes count of the allowed actions in random order, each order
// as likely as any other. Both turns, where allowed, are always among them: the
// measure of depth needs them.
func drawChallenge(random io.Reader, allowed []Action, count int) (Challenge, error) {
	list := slices.Clone(allowed)
	// Turns first, so that the cut below never takes them.
	slices.SortStableFunc(list, func(a, b Action) int { return isTurn(b) - isTurn(a) })
	turns := isTurn(list[0])
	if len(list) > 1 {
		turns += isTurn(list[1])
	}
	if err := shuffle(random, list[turns:]); err != nil {
		return nil, err
	}
	list = list[:count]
	if err := shuffle(random, list); err != nil {
		return nil, err
	}
	return append(Challenge{ActionCenter}, list...), nil
}

func isTurn(a Action) int {
	if a == ActionTurnLeft || a == ActionTurnRight {
		return 1
	}
	return 0
}

// shuffle is Fisher and Yates's, without the bias of a plain remainder.
func shuffle(random io.Reader, list []Action) error {
	for i := len(list) - 1; i > 0; i-- {
		j, err := below(random, i+1)
		if err != nil {
			return err
		}
		list[i], list[j] = list[j], list[i]
	}
	return nil
}

// below draws a number of 0 to n-1, each as likely; n is at most 256.
func below(random io.Reader, n int) (int, error) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, fmt.Errorf("face: draw a challenge: %w", err)
		}
		if int(b[0]) < 256/n*n {
			return int(b[0]) % n, nil
		}
	}
}
