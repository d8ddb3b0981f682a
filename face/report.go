package face

import "time"

// Report lists every signal of a check, for tests, evaluation and the command
// line. A server does not give it to the person, nor keeps it.
type Report struct {
	Frames     int `json:"frames"`
	Unreadable int `json:"unreadable"` // not a JPEG, damaged, out of size
	Repeated   int `json:"repeated"`   // byte for byte the previous frame
	FacesLost  int `json:"faces_lost"` // frames without a face
	TwoFaces   int `json:"two_faces"`  // frames with a second face near
	Blurred    int `json:"blurred"`    // frames out of focus

	Steps     []StepReport `json:"steps"`
	StepsDone int          `json:"steps_done"`
	Strays    int          `json:"strays"` // weight of actions nobody asked for

	// Flatness of the left and the right turn, per cent of the eye distance.
	FlatnessLeft  float32 `json:"flatness_left"`
	FlatnessRight float32 `json:"flatness_right"`

	// Grid and Rainbow tell a screen; medians over frames in focus, of which there were
	// Surfaces. Resolved: most of them were sharp enough for a grid to be seen.
	Grid     float32 `json:"grid"`
	Rainbow  float32 `json:"rainbow"`
	Surfaces int     `json:"surfaces"`
	Resolved bool    `json:"resolved"`

	// Judged frames could be told from a mixture of their neighbours; Mixed were not.
	Judged   int `json:"judged"`
	Mixed    int `json:"mixed"`
	Backward int `json:"clock_not_advancing"`

	// ClockLead and ClockLag are how far the page's clock ran before and behind
	// the server's; Jitter the deviation of the times between frames. Jitter is
	// reported only: who sends the frames chooses it.
	ClockLead time.Duration `json:"clock_lead_ns"`
	ClockLag  time.Duration `json:"clock_lag_ns"`
	Jitter    time.Duration `json:"jitter_ns"`

	// Unchanged is the share of background points that are the same in two frames in
	// a row, in the tenth of the pairs with least; Cuts are joins of recordings; Doubled frames show the picture
	// before them, Recurring ones an earlier one. The last two are reported only.
	Unchanged float32 `json:"unchanged"`
	Cuts      int     `json:"cuts"`
	Doubled   int     `json:"doubled"`
	Recurring int     `json:"recurring"`

	// Continuity is the least cosine of a neutral sample with the beginning,
	// ContinuityTurned that of a turned or moving face.
	Continuity       float32 `json:"continuity"`
	ContinuityTurned float32 `json:"continuity_turned"`
	Samples          int     `json:"samples"`

	Light LightReport `json:"light"`
	// Passive is nil where the pack has no such network.
	Passive *PassiveReport `json:"passive,omitempty"`

	// Signals are the outcomes that the decision is made of.
	Signals []Signal `json:"signals"`
}

// StepReport is how an instruction was followed.
type StepReport struct {
	Action Action        `json:"action"`
	Given  time.Duration `json:"given_ns"` // since the first frame
	Took   time.Duration `json:"took_ns"`  // until done; 0 when it was not
	Peak   float32       `json:"peak"`     // 1 is the full amplitude
}

// Signal is one named outcome.
type Signal struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Note says what passed and failed do not: "not available", "not
	// measured", "by light", "advisory".
	Note string `json:"note,omitempty"`
}

// Report returns what the check measured so far. It holds no similarity to the
// portrait and nothing from which a face could be rebuilt.
func (c *Check) Report() Report {
	r := c.report
	r.Steps = append([]StepReport(nil), c.report.Steps...)
	r.Signals = append([]Signal(nil), c.report.Signals...)
	r.Strays = c.strays.weight
	r.Frames, r.Repeated, r.Judged, r.Mixed, r.Backward = c.stream.frames, c.stream.repeats, c.stream.judged, c.stream.mixed, c.stream.backward
	r.ClockLead, r.ClockLag, r.Jitter = c.stream.lead, c.stream.lag, time.Duration(c.stream.pace.deviation()*float64(time.Millisecond))
	r.Unchanged, r.Cuts, r.Doubled, r.Recurring = c.signs.still(), c.signs.cuts, c.signs.twice, c.signs.recurs
	r.FlatnessLeft, r.FlatnessRight = c.flat[0], c.flat[1]
	l := c.surface.looks()
	r.Grid, r.Rainbow, r.Surfaces, r.Resolved = l.grid, l.rainbow, l.samples, l.measured
	r.Continuity, r.ContinuityTurned = c.identity.minimum, min(c.identity.turnMin, c.identity.doneMin)
	r.Samples = c.identity.counts[0] + c.identity.counts[1] + c.identity.turned
	return r
}
