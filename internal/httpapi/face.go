package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
)

// Timing of the live check's channel. The check has its own clocks besides.
const (
	startWithin = 10 * time.Second       // from opening to "start"
	frameWithin = 15 * time.Second       // between two frames
	tellWithin  = 5 * time.Second        // for one message to be taken
	hintAgain   = 900 * time.Millisecond // the same hint is repeated no sooner
)

// face is the channel of the live check: frames one way, instructions and at
// last the decision the other. The caller is checked before the channel opens.
func (a *API) face(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	if _, err := a.cfg.Proofing.Get(r.Context(), token); err != nil {
		return err
	}
	// The origin was checked by sameSite, against the public address rather than
	// the Host header, which a proxy may rewrite.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		a.cfg.Log.InfoContext(r.Context(), "no WebSocket", "error", err)
		return nil // Accept has answered
	}
	c := &faceChannel{api: a, ws: ws, intake: newIntake(ws, a.cfg.Now)}
	defer func() { // also after a panic
		_ = ws.CloseNow()
		c.intake.wipe() // waits until nothing is read any more
	}()
	ws.SetReadLimit(-1) // intake bounds every message itself, so as to say why
	ctx, cancel := a.stream(context.WithoutCancel(r.Context()))
	defer cancel()
	c.close(ctx, c.run(ctx, token))
	return nil
}

// faceChannel is one live check's connection.
type faceChannel struct {
	api    *API
	ws     *websocket.Conn
	intake *intake
	dark   bool      // the person declines the colours
	light  string    // colour last sent
	told   int       // index of the instruction last sent, plus one
	hint   string    // last sent
	hinted time.Time // when
}

// errGone means that the other side, or the server, is no longer there.
var errGone = errors.New("the connection is over")

// run carries one check from "start" to its decision. The error is what the
// page is told, unless it is errGone.
func (c *faceChannel) run(ctx context.Context, token string) error {
	if err := c.awaitStart(ctx); err != nil {
		return err
	}
	run, err := c.api.cfg.Proofing.BeginFace(ctx, token)
	if err != nil {
		return err
	}
	defer run.Close() // a run without decision counts as interrupted
	if c.dark {
		run.DeclineLight()
	}
	first, err := run.Instruction()
	if err != nil {
		return err
	}
	if err := c.instruct(ctx, first); err != nil {
		return err
	}
	c.intake.begin(ctx)
	for {
		frame, err := c.intake.next(ctx)
		if err != nil {
			return err
		}
		guidance, err := run.Push(ctx, frame) // wipes the frame
		c.intake.release(frame.JPEG)
		if err != nil {
			return err
		}
		if err := c.guide(ctx, guidance); err != nil {
			return err
		}
		if guidance.Finished {
			outcome, err := run.Finish(ctx)
			if err != nil {
				return err
			}
			return c.tell(ctx, decisionMessage(outcome))
		}
	}
}

func (c *faceChannel) awaitStart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	kind, raw, err := c.intake.read(ctx)
	if err != nil {
		return err
	}
	defer c.intake.release(pii.NewBytes(raw))
	var m struct {
		Type  string `json:"type"`
		Light *bool  `json:"light"`
	}
	if kind != websocket.MessageText || json.Unmarshal(raw, &m) != nil || m.Type != "start" {
		return problem.New(problem.InvalidRequest, errors.New("the first message is not start"))
	}
	c.dark = m.Light != nil && !*m.Light
	return nil
}

// guide tells the page what a frame led to.
func (c *faceChannel) guide(ctx context.Context, g proofing.Guidance) error {
	if g.StepDone {
		if err := c.tell(ctx, faceMessage{Type: "step_done", Index: &g.DoneIndex}); err != nil {
			return err
		}
	}
	if g.Finished {
		return nil
	}
	if err := c.instruct(ctx, g.Instruction); err != nil {
		return err
	}
	if g.Light != c.light {
		c.light = g.Light
		if err := c.tell(ctx, faceMessage{Type: "light", Colour: g.Light}); err != nil {
			return err
		}
	}
	now := c.api.cfg.Now()
	if g.Hint == "" || (g.Hint == c.hint && now.Sub(c.hinted) < hintAgain) {
		return nil
	}
	c.hint, c.hinted = g.Hint, now
	return c.tell(ctx, faceMessage{Type: "hint", Hint: g.Hint})
}

// instruct sends an instruction once.
func (c *faceChannel) instruct(ctx context.Context, i proofing.Instruction) error {
	if c.told == i.Index+1 {
		return nil
	}
	c.told, c.hint = i.Index+1, ""
	return c.tell(ctx, faceMessage{Type: "instruction", Index: &i.Index, Of: i.Of, Action: i.Action, TimeoutMS: i.Timeout.Milliseconds()})
}

// faceMessage is every message to the page; docs/api.md says which members each has.
type faceMessage struct {
	Type         string `json:"type"`
	Index        *int   `json:"index,omitempty"`
	Of           int    `json:"of,omitempty"`
	Action       string `json:"action,omitempty"`
	TimeoutMS    int64  `json:"timeout_ms,omitempty"`
	Hint         string `json:"hint,omitempty"`
	Colour       string `json:"colour,omitempty"`
	Accepted     *bool  `json:"accepted,omitempty"`
	Reason       string `json:"reason,omitempty"`
	AttemptsLeft *int   `json:"attempts_left,omitempty"`
	RetryAfter   int    `json:"retry_after_s,omitempty"`
	Code         string `json:"code,omitempty"`
}

func decisionMessage(o proofing.FaceOutcome) faceMessage {
	m := faceMessage{Type: "decision", Accepted: &o.Accepted}
	if !o.Accepted {
		m.Reason, m.AttemptsLeft = string(o.Reason), &o.AttemptsLeft
	}
	return m
}

func (c *faceChannel) tell(ctx context.Context, m faceMessage) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, raw); err != nil {
		return errGone
	}
	return nil
}

// close says why the channel ends and ends it.
func (c *faceChannel) close(ctx context.Context, cause error) {
	switch {
	case cause == nil:
		_ = c.ws.Close(websocket.StatusNormalClosure, "")
		return
	case errors.Is(cause, errGone) || ctx.Err() != nil:
		return
	}
	p := problem.Of(cause)
	c.api.cfg.Log.InfoContext(ctx, "live check ended", "code", string(p.Code), "error", cause)
	m, status := faceMessage{Type: "error", Code: string(p.Code)}, websocket.StatusPolicyViolation
	if p.Code == problem.Busy {
		m, status = faceMessage{Type: "busy", RetryAfter: max(1, p.RetryAfter)}, websocket.StatusTryAgainLater
	}
	if c.tell(ctx, m) == nil {
		_ = c.ws.Close(status, string(p.Code))
	}
}
