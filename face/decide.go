package face

// Decide ends the check. It refuses before Guidance.Finished and after Wipe. The
// rule is that of docs/liveness.md: every signal must pass, and the first that
// does not names the reason, coarsely.
func (c *Check) Decide() Decision {
	if c.over {
		return Decision{Reason: ReasonNotFollowed}
	}
	c.over = true
	decision := Decision{Accepted: true}
	c.report.Signals = c.report.Signals[:0]
	for _, s := range c.signals() {
		c.report.Signals = append(c.report.Signals, Signal{Name: s.name, Passed: s.passed})
		if !s.passed && decision.Accepted {
			decision = Decision{Reason: s.reason}
		}
	}
	return decision
}

// signal is one condition of acceptance.
type signal struct {
	name   string
	passed bool
	reason Reason
}

func (c *Check) signals() []signal {
	ended := c.failure
	if ended == "" && c.report.StepsDone < len(c.challenge) {
		ended = c.unfinished()
	}
	same, portrait := c.identity.enough() && c.identity.continuous(c.engine.continuity), c.reference == nil
	if !portrait {
		whole, least := c.identity.similarity(c.reference)
		portrait = c.identity.enough() && whole >= c.engine.live.Cosine && least >= c.engine.threshold.Cosine
	}
	return []signal{
		{"one_face", float32(c.report.TwoFaces) <= twoFacesShare*float32(c.stream.frames), ReasonSeveralFaces},
		{"instructions_followed", ended == "", ended},
		{"depth", c.flat[0] >= turnResidual && c.flat[1] >= turnResidual && c.flat[0]+c.flat[1] >= turnsSum, ReasonNotLive},
		{"no_screen", c.surface.plain(), ReasonNotLive},
		{"camera_stream", !c.stream.interpolated(), ReasonNotLive},
		{"enough_samples", c.identity.enough(), ReasonPoorQuality},
		{"one_person_throughout", same, ReasonNotSamePerson},
		{"person_of_portrait", portrait, ReasonNotSamePerson},
	}
}

// unfinished names why a run that ended early is refused.
func (c *Check) unfinished() Reason {
	if c.stepUnfit > 0 && float32(c.stepUnfit) >= blockedTooMany*float32(c.stepFrames) {
		return ReasonPoorQuality
	}
	return ReasonNotFollowed
}
