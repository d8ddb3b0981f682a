package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"ipse"
	"ipse/face"
	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// benchPerson is the rendered person of the measurements.
const benchPerson = "testdata/people/people/p02/"

// chip measures full readings of a software chip in this process, and verdicts.
func (cmd benchCmd) chip(c *cliContext) ([]figure, error) {
	portrait, err := ipse.DemoPeople.ReadFile(benchPerson + "portrait.jpg")
	if err != nil {
		return nil, err
	}
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: c.Now()})
	if err != nil {
		return nil, err
	}
	store, _, err := trust.Load([]trust.Source{{Name: "specimen", Data: issuer.CSCA()}}, trust.Options{})
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, document := range []struct {
		name   string
		access specimen.AccessConfig
	}{
		{"read: BAC, AA", specimen.AccessConfig{BAC: true}},
		{"read: PACE-GM brainpoolP256r1, AA", specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}}},
	} {
		doc, err := issuer.Issue(specimen.DocumentConfig{Portrait: portrait, Width: 413, Height: 531, AA: "ecdsa-P-256-sha256", Access: document.access})
		if err != nil {
			return nil, err
		}
		figures, err := cmd.readings(c, document.name, doc, store)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

func (cmd benchCmd) readings(c *cliContext, name string, doc *specimen.Document, store *trust.Store) ([]figure, error) {
	card, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		return nil, err
	}
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		return nil, err
	}
	opts := chip.Options{Access: chip.FromMRZ(zone), Challenge: make([]byte, 8), Rand: rand.Reader}
	var evidence *mrtd.Evidence
	commands := 0
	took, err := timed(c, cmd.For, func() error {
		evidence.Wipe()
		reading, err := chip.Read(c.Context, card, opts)
		if err != nil {
			return err
		}
		commands = reading.Commands
		evidence = mrtd.NewEvidence(reading, c.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer evidence.Wipe()
	out := []figure{figureOf(name, took, fmt.Sprintf("%d commands; both ends in one process", commands))}
	took, err = timed(c, cmd.For, func() error {
		v, err := mrtd.Verify(evidence, store, mrtd.VerifyOptions{Now: c.Now(), AAChallenge: opts.Challenge})
		if err == nil && !v.Genuine {
			err = errors.New("the specimen is not genuine")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(out, figureOf("verify: "+name[len("read: "):], took, "signature, chain, hashes, chip")), nil
}

// benchTruth is what is known of a rendered sequence.
type benchTruth struct {
	Frames []struct {
		File string `json:"file"`
		TMS  int64  `json:"t_ms"`
	} `json:"frames"`
	Actions []struct {
		Action face.Action `json:"action"`
		TMS    [2]int64    `json:"t_ms"`
	} `json:"actions"`
}

// face measures whole live checks of a rendered person: each frame, and the
// decision after the last.
func (cmd benchCmd) face(c *cliContext) ([]figure, error) {
	raw, err := ipse.DemoPeople.ReadFile(benchPerson + "live/truth.json")
	if err != nil {
		return nil, err
	}
	var truth benchTruth
	if err := json.Unmarshal(raw, &truth); err != nil {
		return nil, err
	}
	var given []face.Given
	for _, a := range truth.Actions {
		if len(given) == 0 || given[len(given)-1].Action != a.Action {
			given = append(given, face.Given{Action: a.Action, At: time.Duration(a.TMS[0]-80) * time.Millisecond})
		}
	}
	var out []figure
	began := time.Now()
	err = packFlag{}.withEngine(c, "", func(e *face.Engine) error {
		out = append(out, figureOf("face: load runtime and networks", []time.Duration{time.Since(began)}, ""))
		figures, err := cmd.checks(c, e, truth, given)
		out = append(out, figures...)
		return err
	})
	return out, err
}

func (cmd benchCmd) checks(c *cliContext, e *face.Engine, truth benchTruth, given []face.Given) ([]figure, error) {
	portrait, err := ipse.DemoPeople.ReadFile(benchPerson + "portrait.jpg")
	if err != nil {
		return nil, err
	}
	var begin, frames, decide, whole []time.Duration
	lap := func(to *[]time.Duration, since time.Time) { *to = append(*to, time.Since(since)) }
	for i := range max(1, cmd.For/10) {
		c.progress("check %d", i+1)
		started := time.Now()
		check, err := e.NewRecordedCheck(c.Context, portrait, given)
		if err != nil {
			return nil, err
		}
		lap(&begin, started)
		for _, f := range truth.Frames {
			jpeg, err := ipse.DemoPeople.ReadFile(benchPerson + "live/" + f.File)
			if err != nil {
				return nil, err
			}
			at, now := time.Duration(f.TMS)*time.Millisecond, time.Now()
			guidance, err := check.Push(c.Context, face.Frame{JPEG: jpeg, CapturedAt: at, ReceivedAt: time.Unix(0, 0).Add(at)})
			pii.Wipe(jpeg)
			if err != nil {
				return nil, err
			}
			lap(&frames, now)
			if guidance.Finished {
				break
			}
		}
		now := time.Now()
		decision := check.Decide()
		lap(&decide, now)
		lap(&whole, started)
		check.Wipe()
		if !decision.Accepted {
			return nil, fmt.Errorf("the rendered person is refused: %s", decision.Reason)
		}
	}
	perFrame := figureOf("face: one frame, one core", frames, "")
	perFrame.Note = fmt.Sprintf("%.0f frames/s", 1000/perFrame.Median)
	return []figure{figureOf("face: portrait", begin, ""), perFrame, figureOf("face: decision after the last frame", decide, ""),
		figureOf(fmt.Sprintf("face: check of %d frames", len(truth.Frames)), whole, fmt.Sprintf("%d cores", runtime.GOMAXPROCS(0)))}, nil
}
