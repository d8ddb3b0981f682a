package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
	"ipse/internal/pii"
	"ipse/mrtd/jp2"
)

type faceCmd struct {
	Compare  faceCompareCmd  `cmd:"" help:"Do two images show the same person? Exit 2 when they do not match."`
	Liveness faceLivenessCmd `cmd:"" help:"Judge recorded frames of a live check. Exit 2 when refused."`
	Models   faceModelsCmd   `cmd:"" help:"List a model pack, verify it, and measure it on labelled pairs."`
	Eval     faceEvalCmd     `cmd:"" help:"Measure false match and false non-match rates on labelled pairs."`
	EvalPad  faceEvalPadCmd  `cmd:"" name:"eval-pad" help:"Measure how the live check errs on attacks of every species and on genuine people."`
}

// packFlag chooses a model pack.
type packFlag struct {
	Pack string `help:"Folder of a model pack with its manifest.json; default: the built-in pack." type:"path" placeholder:"DIR"`
}

func (f packFlag) load() (*face.Pack, error) {
	if f.Pack == "" {
		return pack.Default()
	}
	networks, err := face.LoadPack(os.DirFS(f.Pack))
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", f.Pack, err)
	}
	return networks, nil
}

// withEngine runs f over an engine that is closed afterwards.
func (f packFlag) withEngine(c *cliContext, fmr string, do func(*face.Engine) error) error {
	networks, err := f.load()
	if err != nil {
		return err
	}
	err = runEngine(c, face.Config{Pack: networks, FMR: fmr}, do)
	if errors.Is(err, face.ErrNotCalibrated) {
		err = fmt.Errorf("%w (measure some with: ipse face models --pack DIR --pairs CSV)", err)
	}
	return err
}

// runEngine completes cfg and runs do over its engine, which is closed afterwards.
func runEngine(c *cliContext, cfg face.Config, do func(*face.Engine) error) (err error) {
	if cfg.Inferer == nil {
		rt, failed := onnx.New(onnx.Config{})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, rt.Close()) }()
		cfg.Inferer = rt
	}
	cfg.Random, cfg.Workers = rand.Reader, runtime.GOMAXPROCS(0)
	engine, err := face.NewEngine(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	c.progress("loading the networks")
	err = engine.Warm(c.Context)
	c.progressDone()
	if err != nil {
		return err
	}
	return do(engine)
}

// readImage reads a JPEG, or a JPEG 2000 image as chips hold them, as JPEG.
func readImage(ctx context.Context, name string) (pii.Bytes, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return pii.Bytes{}, err
	}
	image := pii.NewBytes(b)
	if !isJPEG2000(b) {
		return image, nil
	}
	defer image.Wipe()
	decoder, err := jp2.New(ctx, jp2.Config{})
	if err != nil {
		return pii.Bytes{}, err
	}
	defer func() { _ = decoder.Close(ctx) }() // a sandbox holds nothing to lose
	converted, err := decoder.JPEG(ctx, b)
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("%s: %w", name, err)
	}
	return converted, nil
}

// isJPEG2000 knows JP2 files and raw codestreams (ISO/IEC 15444-1 §A.4.1, §I.5.1).
func isJPEG2000(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0x4f, 0xff, 0x51}) || bytes.HasPrefix(b, []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"))
}

type faceCompareCmd struct {
	packFlag
	A    string `arg:"" help:"Image, JPEG or JPEG 2000." type:"path"`
	B    string `arg:"" help:"Image to compare with." type:"path"`
	FMR  string `name:"fmr" help:"False match rate of the threshold, one of the pack's; default: the pack's default." placeholder:"1:N"`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

// comparisonView is the printed form of a comparison.
type comparisonView struct {
	Match     bool              `json:"match"`
	Compared  bool              `json:"compared"`
	FMR       string            `json:"fmr"`
	FNMR      float32           `json:"fnmr"`
	Threshold float32           `json:"threshold"`
	A         face.ImageQuality `json:"a"`
	B         face.ImageQuality `json:"b"`
}

// Run compares and prints the decision.
func (cmd faceCompareCmd) Run(c *cliContext) error {
	a, err := readImage(c.Context, cmd.A)
	if err != nil {
		return err
	}
	defer a.Wipe()
	b, err := readImage(c.Context, cmd.B)
	if err != nil {
		return err
	}
	defer b.Wipe()
	return cmd.withEngine(c, cmd.FMR, func(e *face.Engine) error {
		r, err := e.Compare(c.Context, a.Reveal(), b.Reveal())
		if err != nil {
			return err
		}
		view := comparisonView{Match: r.Match, Compared: r.Compared, FMR: r.FMR, FNMR: r.FNMR, Threshold: e.Threshold().Cosine, A: r.A, B: r.B}
		if err := cmd.print(c, view); err != nil {
			return err
		}
		switch {
		case !r.Compared:
			return errors.New("the images cannot be compared")
		case !r.Match:
			return refused("no match at a false match rate of %s", r.FMR)
		}
		return nil
	})
}

func (cmd faceCompareCmd) print(c *cliContext, v comparisonView) error {
	if cmd.JSON {
		return c.printJSON(v)
	}
	decision := "NO MATCH"
	switch {
	case !v.Compared:
		decision = "NOT COMPARED"
	case v.Match:
		decision = "MATCH"
	}
	_, err := fmt.Fprintf(c.Stdout, "%s\nthreshold  false match rate %s (%.1f %% false non-match rate, one image against one)\nimage A    %s\nimage B    %s\n",
		decision, v.FMR, 100*v.FNMR, quality(v.A), quality(v.B))
	return err
}

func quality(q face.ImageQuality) string {
	words := make([]string, len(q.Reasons))
	for i, r := range q.Reasons {
		words[i] = strings.ReplaceAll(string(r), "_", " ")
	}
	switch reasons := strings.Join(words, ", "); {
	case !q.Usable:
		return "not usable: " + reasons
	case reasons != "":
		return "usable, though: " + reasons
	}
	return "usable"
}
