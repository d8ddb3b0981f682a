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
		c.report.Signals = append(c.report.Signals, Signal{Name: s.name, Passed: s.passed, Note: s.note})
		if !s.passed && !s.advisory && decision.Accepted {
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
	note   string
	// advisory signals are reported and change nothing.
	advisory bool
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
	c.report.Light = c.light.judge()
	list := []signal{
		{name: "one_face", passed: float32(c.report.TwoFaces) <= twoFacesShare*float32(c.stream.frames), reason: ReasonSeveralFaces},
		{name: "instructions_followed", passed: ended == "", reason: ended},
		{name: "depth", passed: c.flat[0] >= turnResidual && c.flat[1] >= turnResidual && c.flat[0]+c.flat[1] >= turnsSum, reason: ReasonNotLive},
		c.screenSignal(),
		{name: "camera_stream", passed: !c.stream.interpolated() && c.stream.paced(), reason: ReasonNotLive},
		{name: "sensor_noise", passed: c.signs.noisy(), reason: ReasonNotLive},
		{name: "one_recording", passed: c.signs.whole(), reason: ReasonNotLive},
		{name: "enough_samples", passed: c.identity.enough(), reason: ReasonPoorQuality},
		{name: "one_person_throughout", passed: same, reason: ReasonNotSamePerson},
		{name: "person_of_portrait", passed: portrait, reason: ReasonNotSamePerson},
		c.lightSignal(),
	}
	if s, ok := c.passiveSignal(); ok {
		list = append(list, s)
	}
	return list
}

// screenSignal wants a surface without a grid in frames in which one could be seen.
// Where the camera is too soft for that, light that follows stands in: a screen
// shines, and hardly reflects.
func (c *Check) screenSignal() signal {
	l := c.surface.looks()
	s := signal{name: "no_screen", reason: ReasonNotLive}
	switch {
	case l.screen():
	case l.measured:
		s.passed = true
	case c.report.Light.Outcome == LightFollows:
		s.passed, s.note = true, "by light"
	default:
		s.reason, s.note = ReasonPoorQuality, "not measured"
	}
	return s
}

// lightSignal weighs what the face did under the page's colours by the policy's
// rule. What was not seen contradicts nothing, unless the rule requires it.
func (c *Check) lightSignal() signal {
	s := signal{name: "light", reason: ReasonNotLive}
	switch c.report.Light.Outcome {
	case LightFollows:
		s.passed = true
	case LightNotAvailable:
		s.passed, s.note = c.engine.policy.Light != LightRequired, "not available"
	case LightContradicts:
	}
	return s
}

// unfinished names why a run that ended early is refused.
func (c *Check) unfinished() Reason {
	if c.stepUnfit > 0 && float32(c.stepUnfit) >= blockedTooMany*float32(c.stepFrames) {
		return ReasonPoorQuality
	}
	return ReasonNotFollowed
}
