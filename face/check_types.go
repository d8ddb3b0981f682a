package face

import "time"

// Frame is one picture of the camera.
type Frame struct {
	// JPEG bytes, baseline or progressive, at most 400 KiB and 1280 pixels a
	// side. Not kept, not changed; the caller wipes them.
	JPEG []byte
	// CapturedAt is the camera side's own clock, since the start of the run.
	CapturedAt time.Duration
	// ReceivedAt is the server's clock.
	ReceivedAt time.Time
}

// Instruction is what the person is asked to do now.
type Instruction struct {
	Index   int           // from 0
	Of      int           // how many there are
	Action  Action        // what to do
	Timeout time.Duration // how long it may take
}

// Hint is a code for a sentence that helps the person; it never says what a
// check measured.
type Hint string

// The hints. The empty hint is none.
const (
	HintFaceNotFound  Hint = "face_not_found"
	HintOnePersonOnly Hint = "one_person_only"
	HintComeCloser    Hint = "come_closer"
	HintMoveBack      Hint = "move_back"
	HintCenterFace    Hint = "center_face"
	HintMoreLight     Hint = "more_light"
	HintLessLight     Hint = "less_light"
	HintTooBlurred    Hint = "too_blurred"
	HintHoldStill     Hint = "hold_still"
	HintLookStraight  Hint = "look_straight"
	HintFurther       Hint = "further" // the same movement, a little more of it
	HintLightBehind   Hint = "light_behind"
	HintLensCovered   Hint = "lens_covered"
	HintUncoverFace   Hint = "uncover_face" // glasses, mask or hand
)

// Guidance is the answer to a frame.
type Guidance struct {
	Instruction Instruction // now in force
	Hint        Hint        // or empty
	StepDone    bool        // this frame completed an instruction; DoneIndex says which
	DoneIndex   int
	// Light is the colour for the page to show around the picture from now on,
	// "#rrggbb"; empty for its own.
	Light    string
	Finished bool // nothing more is needed, to accept or to refuse: call Decide
}

// Reason is why a check was refused, coarse on purpose: it helps a person and
// tells somebody who probes the checks nothing about the measures.
type Reason string

// The reasons.
const (
	ReasonNotLive       Reason = "not_live"
	ReasonNotSamePerson Reason = "not_same_person"
	ReasonNotFollowed   Reason = "instructions_not_followed"
	ReasonSeveralFaces  Reason = "several_faces"
	ReasonPoorQuality   Reason = "poor_quality"
	ReasonTimeout       Reason = "timeout"
)

// Decision is the outcome of a check. The zero value is a refusal.
type Decision struct {
	Accepted bool
	Reason   Reason // of a refusal
}
