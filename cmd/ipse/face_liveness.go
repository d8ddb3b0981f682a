package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipse/face"
	"ipse/internal/pii"
)

type faceLivenessCmd struct {
	packFlag
	Challenge string  `required:"" help:"JSON file: the instructions, and when each was given (docs/liveness.md)." type:"path" placeholder:"FILE"`
	Frames    string  `required:"" help:"Folder of the frames, JPEG files in the order of their names." type:"path" placeholder:"DIR"`
	Portrait  string  `help:"Image of the person that it must be; without it, liveness alone is judged." type:"path" placeholder:"IMG"`
	FPS       float64 `name:"fps" help:"Frames a second, where the challenge file does not say; default 10." placeholder:"N"`
	FMR       string  `name:"fmr" help:"False match rate of the threshold, one of the pack's." placeholder:"1:N"`
	JSON      bool    `name:"json" help:"Print the result with every signal as JSON."`
}

// livenessView is the printed form of a decision.
type livenessView struct {
	Accepted bool        `json:"accepted"`
	Reason   face.Reason `json:"reason,omitempty"`
	FMR      string      `json:"fmr,omitempty"` // of the comparison with the portrait
	Report   face.Report `json:"report"`
}

// Run judges the frames.
func (cmd faceLivenessCmd) Run(c *cliContext) error {
	recording, err := readRecording(cmd.Challenge, cmd.Frames, cmd.FPS)
	if err != nil {
		return err
	}
	var portrait pii.Bytes
	if cmd.Portrait != "" {
		if portrait, err = readImage(c.Context, cmd.Portrait); err != nil {
			return err
		}
		defer portrait.Wipe()
	}
	return cmd.withEngine(c, cmd.FMR, func(e *face.Engine) error {
		v, err := cmd.judge(c, e, recording, portrait.Reveal())
		if err != nil {
			return err
		}
		if cmd.Portrait != "" {
			v.FMR = e.Threshold().FMR
		}
		if err := cmd.print(c, v); err != nil {
			return err
		}
		if !v.Accepted {
			return refused("%s", strings.ReplaceAll(string(v.Reason), "_", " "))
		}
		return nil
	})
}

func (cmd faceLivenessCmd) judge(c *cliContext, e *face.Engine, r *recording, portrait []byte) (livenessView, error) {
	check, err := e.NewRecordedCheck(c.Context, portrait, r.given, r.shown)
	if err != nil {
		return livenessView{}, err
	}
	defer check.Wipe()
	start := time.Unix(0, 0)
	for i, f := range r.frames {
		c.progress("frame %d of %d", i+1, len(r.frames))
		data, err := os.ReadFile(f.path)
		if err != nil {
			return livenessView{}, err
		}
		g, err := check.Push(c.Context, face.Frame{JPEG: data, CapturedAt: f.at, ReceivedAt: start.Add(f.at)})
		clear(data)
		if err != nil {
			return livenessView{}, err
		}
		if g.Finished {
			break
		}
	}
	c.progressDone()
	d := check.Decide()
	return livenessView{Accepted: d.Accepted, Reason: d.Reason, Report: check.Report()}, nil
}

func (cmd faceLivenessCmd) print(c *cliContext, v livenessView) error {
	if cmd.JSON {
		return c.printJSON(v)
	}
	if v.Accepted {
		fmt.Fprintln(c.Stdout, "ACCEPTED")
	} else {
		fmt.Fprintf(c.Stdout, "REFUSED: %s\n", strings.ReplaceAll(string(v.Reason), "_", " "))
	}
	if v.FMR != "" {
		fmt.Fprintf(c.Stdout, "threshold  false match rate %s\n", v.FMR)
	}
	fmt.Fprintf(c.Stdout, "frames     %d, with a second face %d, without a face %d, unreadable %d\n", v.Report.Frames, v.Report.TwoFaces, v.Report.FacesLost, v.Report.Unreadable)
	for _, s := range v.Report.Steps {
		took := "not done"
		if s.Took > 0 || (s.Action == face.ActionCenter && v.Report.StepsDone > 0) {
			took = fmt.Sprintf("done after %.1f s", s.Took.Seconds())
		}
		fmt.Fprintf(c.Stdout, "%-10s %s\n", s.Action, took)
	}
	for _, s := range v.Report.Signals {
		result := "no"
		if s.Passed {
			result = "yes"
		}
		if s.Note != "" {
			result += ", " + s.Note
		}
		fmt.Fprintf(c.Stdout, "%-24s %s\n", strings.ReplaceAll(s.Name, "_", " "), result)
	}
	return nil
}

// recording is what the challenge file and the folder hold together.
type recording struct {
	given  []face.Given
	shown  []face.Shown
	frames []recordedFrame
}

type recordedFrame struct {
	path string
	at   time.Duration
}

// challengeFile is the JSON form of a challenge: docs/liveness.md.
type challengeFile struct {
	FPS     float64             `json:"fps"`
	Actions []challengeAction   `json:"actions"`
	Light   []challengeColour   `json:"light"`
	Frames  []challengeFileTime `json:"frames"`
}

type challengeFileTime struct {
	File string       `json:"file"`
	T    milliseconds `json:"t_ms"`
}

// challengeAction is an object with the time, or the action's name alone.
type challengeAction struct {
	Action face.Action  `json:"action"`
	T      milliseconds `json:"t_ms"`
}

// challengeColour is an object with the time, or the colour alone.
type challengeColour struct {
	Colour string       `json:"colour"`
	T      milliseconds `json:"t_ms"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *challengeColour) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &l.Colour)
	}
	type plain challengeColour
	return json.Unmarshal(b, (*plain)(l))
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *challengeAction) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &a.Action)
	}
	type plain challengeAction
	return json.Unmarshal(b, (*plain)(a))
}

// milliseconds is a number, or a pair of which the first counts.
type milliseconds float64

// UnmarshalJSON implements json.Unmarshaler.
func (m *milliseconds) UnmarshalJSON(b []byte) error {
	var pair []float64
	if json.Unmarshal(b, &pair) == nil && len(pair) > 0 {
		*m = milliseconds(pair[0])
		return nil
	}
	return json.Unmarshal(b, (*float64)(m))
}

func (m milliseconds) duration() time.Duration {
	return time.Duration(float64(m) * float64(time.Millisecond))
}

// maxRecorded bounds the frames of a recording.
const maxRecorded = 20_000

func readRecording(challenge, dir string, fps float64) (*recording, error) {
	b, err := os.ReadFile(challenge)
	if err != nil {
		return nil, err
	}
	var file challengeFile
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		err = json.Unmarshal(b, &file.Actions)
	} else {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", challenge, err)
	}
	r := &recording{}
	for _, a := range file.Actions {
		r.given = append(r.given, face.Given{Action: a.Action, At: a.T.duration()})
	}
	for _, l := range file.Light {
		r.shown = append(r.shown, face.Shown{Colour: l.Colour, At: l.T.duration()})
	}
	if fps == 0 {
		fps = file.FPS
	}
	if fps == 0 {
		fps = 10
	}
	if fps < 1 || fps > 1000 {
		return nil, usageError{errors.New("frames a second out of range")}
	}
	if len(file.Frames) > maxRecorded {
		return nil, fmt.Errorf("%s: too many frames", challenge)
	}
	if len(file.Frames) == 0 {
		if file.Frames, err = frameList(dir); err != nil {
			return nil, err
		}
	}
	for _, f := range file.Frames {
		r.frames = append(r.frames, recordedFrame{filepath.Join(dir, filepath.FromSlash(f.File)), f.T.duration()})
	}
	if len(r.frames) > 0 {
		return r, nil
	}
	return r, r.list(dir, fps)
}

// frameList reads the folder's own list of its frames, where it has one.
func frameList(dir string) ([]challengeFileTime, error) {
	for _, name := range []string{"frames.json", "truth.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var file challengeFile
		if err := json.Unmarshal(b, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(file.Frames) > maxRecorded {
			return nil, fmt.Errorf("%s: too many frames", name)
		}
		return file.Frames, nil
	}
	return nil, nil
}

// list takes the JPEG files of the folder in the order of their names.
func (r *recording) list(dir string, fps float64) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg":
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 || len(names) > maxRecorded {
		return fmt.Errorf("%s holds %d frames", dir, len(names))
	}
	slices.Sort(names)
	for i, name := range names {
		at := time.Duration(float64(i) / fps * float64(time.Second))
		r.frames = append(r.frames, recordedFrame{filepath.Join(dir, name), at})
	}
	return nil
}
