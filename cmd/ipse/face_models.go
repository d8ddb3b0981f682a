package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"ipse/face"
	"ipse/face/eval"
	"ipse/internal/onnx"
)

type faceModelsCmd struct {
	packFlag
	Pairs string `help:"Measure the pack on labelled pairs (a CSV file as for face eval) and state the thresholds that they support." type:"existingfile" placeholder:"CSV"`
	JSON  bool   `name:"json" help:"Print the manifest, and what was measured, as JSON."`
}

// modelsView is the printed form of a pack.
type modelsView struct {
	face.Manifest
	Hash     string                  `json:"hash"`
	Shapes   string                  `json:"shapes"`
	Measured *face.ComparisonFigures `json:"measured,omitempty"` // for the manifest
}

// Run lists the pack; loading it has verified the manifest and every file's
// SHA-256. Where ONNX Runtime is there, the networks are loaded too, which
// verifies their shapes. With pairs, the thresholds that they support follow.
func (cmd faceModelsCmd) Run(c *cliContext) error {
	p, err := cmd.load()
	if err != nil {
		return err
	}
	view := modelsView{Manifest: p.Manifest, Hash: p.Hash(), Shapes: "verified"}
	var found []eval.Calibrated
	err = runEngine(c, face.Config{Pack: p, Measuring: true}, func(e *face.Engine) error {
		if cmd.Pairs == "" {
			return nil
		}
		found, err = cmd.calibrate(c, e)
		return err
	})
	switch {
	case errors.Is(err, onnx.ErrNotFound) && cmd.Pairs == "":
		view.Shapes = "not verified: no ONNX Runtime library here"
	case err != nil:
		return err
	case cmd.Pairs != "":
		view.Measured = figuresOf(found)
	}
	if cmd.JSON {
		return c.printJSON(view)
	}
	if err := printPack(c, view); err != nil || cmd.Pairs == "" {
		return err
	}
	return printCalibrated(c, found, view.Measured)
}

// calibrate scores the pairs as face eval does.
func (cmd faceModelsCmd) calibrate(c *cliContext, e *face.Engine) ([]eval.Calibrated, error) {
	pairs := faceEvalCmd{packFlag: cmd.packFlag, Pairs: cmd.Pairs}
	list, samples, err := pairs.read()
	if err != nil {
		return nil, err
	}
	trials, _, err := pairs.score(c, e, list, samples)
	c.progressDone()
	if err != nil {
		return nil, err
	}
	found := eval.NewScores(trials).Calibrate()
	if len(found) == 0 {
		return nil, fmt.Errorf("these pairs support no threshold: a false match rate of 1:100 needs %d impostor pairs that can be compared", eval.NeededTrials(.01, 3))
	}
	if found[0].FNMR.Trials == 0 {
		return nil, errors.New("no genuine pair could be compared: a threshold is stated with its false non-match rate")
	}
	return found, nil
}

// figuresOf is the manifest's table of what was found; the strictest rate is its default.
func figuresOf(found []eval.Calibrated) *face.ComparisonFigures {
	f := &face.ComparisonFigures{Thresholds: []face.Threshold{}}
	for _, c := range found {
		f.Thresholds = append(f.Thresholds, face.Threshold{FMR: c.Name(), Cosine: float32(c.Score), FNMR: float32(c.FNMR.Value())})
		f.Default = c.Name()
		f.Measured = fmt.Sprintf("%d genuine and %d impostor pairs", c.FNMR.Trials, c.FMR.Trials)
	}
	return f
}

func printPack(c *cliContext, v modelsView) error {
	fmt.Fprintf(c.Stdout, "%s, version %d\nhash       %s\nfiles      verified\nshapes     %s\n", v.Name, v.Version, v.Hash, v.Shapes)
	for _, n := range v.Networks {
		fmt.Fprintf(c.Stdout, "\n%-10s %s\n  sha256   %s\n  licence  %s\n  source   %s\n  training %s\n  input    %q, %s, (value - %g) x %g\n",
			n.Role, n.File, n.SHA256, n.Licence, n.Source, n.TrainingData, n.Input.Name, n.Input.Order, n.Input.Mean, n.Input.Scale)
	}
	if len(v.Comparison.Thresholds) == 0 {
		_, err := fmt.Fprintln(c.Stdout, "\nthresholds none: this pack compares nobody until they are measured")
		return err
	}
	fmt.Fprintf(c.Stdout, "\nthresholds, in force %s\n", v.Comparison.Default)
	for _, t := range v.Comparison.Thresholds {
		fmt.Fprintf(c.Stdout, "  FMR %-8s FNMR %.2f %%  at cosine %.4g\n", t.FMR, 100*t.FNMR, t.Cosine)
	}
	_, err := fmt.Fprintf(c.Stdout, "  measured on %s\n", v.Comparison.Measured)
	return err
}

func printCalibrated(c *cliContext, found []eval.Calibrated, figures *face.ComparisonFigures) error {
	fmt.Fprintln(c.Stdout, "\nmeasured now, on these pairs (95 % confidence)")
	for _, t := range found {
		falseMatch, falseNonMatch := t.FMR.ClopperPearson(eval.Confidence), t.FNMR.ClopperPearson(eval.Confidence)
		fmt.Fprintf(c.Stdout, "  FMR %-8s cosine %.4f, %s: %d of %d false matches (%.2g to %.2g %%), FNMR %d of %d (%.2g to %.2g %%)\n",
			t.Name(), t.Score, t.Support, t.FMR.Errors, t.FMR.Trials, 100*falseMatch.Low, 100*falseMatch.High, t.FNMR.Errors, t.FNMR.Trials, 100*falseNonMatch.Low, 100*falseNonMatch.High)
	}
	manifest, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "\nfor the manifest; say in \"measured\" on whom\n\"comparison\": %s\n", manifest)
	return err
}
