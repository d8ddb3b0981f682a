package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ipse/face"
	"ipse/face/eval"
)

type faceEvalCmd struct {
	packFlag
	Pairs  string `required:"" help:"CSV file with the columns a,b,same[,group]: images, folders of images, or recorded live checks (truth.json), relative to it." type:"path" placeholder:"CSV"`
	Groups bool   `help:"State the rates of each group too."`
	JSON   bool   `name:"json" help:"Print the report as JSON."`
	HTML   string `name:"html" help:"Write the report as one HTML page." placeholder:"OUT"`
}

// Run measures the pairs and prints the report. A report is no verdict: the exit
// code is 0 whatever the rates are.
func (cmd faceEvalCmd) Run(c *cliContext) error {
	list, samples, err := cmd.read()
	if err != nil {
		return err
	}
	networks, err := cmd.load()
	if err != nil {
		return err
	}
	thresholds, err := cmd.thresholds(networks, samples)
	if err != nil {
		return err
	}
	var trials []eval.Trial
	var failures []eval.Failure
	err = cmd.withEngine(c, "", func(e *face.Engine) (err error) {
		trials, failures, err = cmd.score(c, e, list, samples)
		return err
	})
	c.progressDone()
	if err != nil {
		return err
	}
	var groups []string
	if cmd.Groups {
		groups = list.Groups()
	}
	report, err := eval.NewReport(trials, thresholds, groups)
	if err != nil {
		return err
	}
	report.Pack, report.Hash = networks.Manifest.Name, networks.Hash()
	report.Date = c.Now().UTC().Format("2006-01-02")
	report.Images, report.People = len(list.Images), list.People
	report.Failures = append(report.Failures, failures...)
	report.FTE = eval.Rate{Errors: len(failures), Trials: len(list.Images)}
	if cmd.HTML != "" {
		if err := writeReport(cmd.HTML, report); err != nil {
			return err
		}
	}
	if cmd.JSON {
		return c.printJSON(report)
	}
	return printEval(c, report)
}

// read parses the list and looks for every image before the first is compared.
func (cmd faceEvalCmd) read() (*eval.Pairs, []*evalSample, error) {
	f, err := os.Open(cmd.Pairs)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // only read
	list, err := eval.ReadPairs(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", cmd.Pairs, err)
	}
	if cmd.Groups && !list.Grouped {
		return nil, nil, fmt.Errorf("%s has no group column", cmd.Pairs)
	}
	samples, err := cmd.samples(list)
	return list, samples, err
}

func (cmd faceEvalCmd) path(image eval.Image) string {
	name := filepath.FromSlash(image.Path)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(cmd.Pairs), name)
}

func (cmd faceEvalCmd) score(c *cliContext, e *face.Engine, list *eval.Pairs, samples []*evalSample) ([]eval.Trial, []eval.Failure, error) {
	trials := make([]eval.Trial, 0, len(list.Pairs))
	var failures []eval.Failure
	failed := map[int]bool{}
	fail := func(image int, p eval.Pair, column string, q face.ImageQuality) {
		if q.Usable || failed[image] {
			return
		}
		failed[image] = true
		reason := "not_usable"
		if len(q.Reasons) > 0 {
			reason = string(q.Reasons[0])
		}
		failures = append(failures, eval.Failure{Line: p.Line, Column: column, Reason: reason})
	}
	pairs := make([][2]int, len(list.Pairs))
	for i, p := range list.Pairs {
		pairs[i] = [2]int{p.A, p.B}
	}
	err := e.ScorePairs(c.Context, cmd.opened(c, list, samples), pairs, func(i int, r face.Comparison, cosine float32) error {
		p := list.Pairs[i]
		fail(p.A, p, "a", r.A)
		fail(p.B, p, "b", r.B)
		trials = append(trials, eval.Trial{Genuine: p.Same, Groups: []string{p.Group}, Score: float64(cosine), Failed: !r.Compared, People: p.People})
		return nil
	})
	return trials, failures, err
}

// opened are the samples with their files read when they are needed.
func (cmd faceEvalCmd) opened(c *cliContext, list *eval.Pairs, samples []*evalSample) []face.Sample {
	var opened []face.Sample
	for n, s := range samples {
		open := func(i int) ([]byte, error) {
			c.progress("%d of %d", n+1, len(samples))
			image, err := readImage(c.Context, s.files[i])
			if err == nil {
				return image.Reveal(), nil
			}
			if err := c.Context.Err(); err != nil {
				return nil, err
			}
			b, err := os.ReadFile(s.files[i]) // a JPEG 2000 file that is none fails to enrol, as a damaged JPEG does
			if err != nil {
				return nil, fmt.Errorf("%s: line %d: an image cannot be read", cmd.Pairs, list.Images[n].Line)
			}
			return b, nil
		}
		opened = append(opened, face.Sample{Images: len(s.files), Open: open, Given: s.given, At: s.at})
	}
	return opened
}

// evalThresholds are the pack's thresholds with their rates as numbers.
func evalThresholds(p *face.Pack) ([]eval.Threshold, error) {
	var list []eval.Threshold
	for _, t := range p.Manifest.Comparison.Thresholds {
		_, n, _ := strings.Cut(t.FMR, ":")
		times, err := strconv.ParseFloat(n, 64)
		if err != nil || !(times > 1) || math.IsInf(times, 0) {
			return nil, errors.New("the pack states a false match rate that is not 1:N")
		}
		// The engine compares 32-bit cosines: the same number, widened.
		list = append(list, eval.Threshold{FMR: t.FMR, Claimed: 1 / times, Score: float64(t.Cosine)})
	}
	return list, nil
}

func writeReport(name string, r *eval.Report) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return r.WriteHTML(f)
}

func printEval(c *cliContext, r *eval.Report) error {
	fmt.Fprintf(c.Stdout, "pairs      %d genuine, %d impostor, %d images, %d people\n", r.Genuine, r.Impostor, r.Images, r.People)
	fmt.Fprintf(c.Stdout, "failures   %d images failed to enrol, %d of %d pairs not compared\n", len(r.Failures), r.Failed.Errors, r.Failed.Trials)
	for _, f := range r.Failures {
		fmt.Fprintf(c.Stdout, "  line %d, column %s: %s\n", f.Line, f.Column, strings.ReplaceAll(f.Reason, "_", " "))
	}
	if r.EER != nil {
		fmt.Fprintf(c.Stdout, "EER        %.2g %% at a similarity of %.3f\n", 100*r.EER.Rate, r.EER.Threshold)
	}
	printPoints(c, "all pairs", r.Points)
	for _, g := range r.Groups {
		printPoints(c, "group "+strconv.Quote(g.Name), g.Points)
		for i, p := range g.Points {
			fmt.Fprintf(c.Stdout, "  against all, FMR %s: false matches %s, false non-matches %s\n", p.Claimed, deviationWords(g.Deviations[i].FMR), deviationWords(g.Deviations[i].FNMR))
		}
	}
	_, err := fmt.Fprintln(c.Stdout, "\nIntervals are exact, two-sided, 95 %; they take the pairs as independent. Those by person, where ten people or more and an error allow one, draw people again (approximate, 95 %).")
	return err
}

func printPoints(c *cliContext, title string, points []eval.Point) {
	fmt.Fprintf(c.Stdout, "\n%s\n", title)
	for _, p := range points {
		fmt.Fprintf(c.Stdout, "  threshold of FMR %s\n    FMR   %s\n    FNMR  %s\n", p.Claimed, rateLine(p.FMR), rateLine(p.FNMR))
		switch p.Support {
		case eval.Refused:
			fmt.Fprintf(c.Stdout, "          too few impostor pairs to state it: %d are needed (rule of three)\n", p.Needed)
		case eval.Indicative:
			fmt.Fprintln(c.Stdout, "          FMR is indicative: cite the upper end of its interval")
		case eval.Contradicted:
			fmt.Fprintf(c.Stdout, "          these pairs do not meet FMR %s: the whole interval lies above it\n", p.Claimed)
		case eval.Measured:
		}
	}
}

func rateLine(s eval.Statement) string {
	if s.Value == nil {
		return fmt.Sprintf("not stated (%d of %d; below %s %% with 95 %% confidence)", s.Errors, s.Trials, hundredths(s.Below))
	}
	line := fmt.Sprintf("%s %% (%d of %d; %s to %s %%)", hundredths(*s.Value), s.Errors, s.Trials, hundredths(s.Interval.Low), hundredths(s.Interval.High))
	if i := s.ByPerson; i != nil {
		line += fmt.Sprintf("; by person %s to %s %%", hundredths(i.Low), hundredths(i.High))
	}
	return line
}

// hundredths writes a fraction in per cent, two significant figures.
func hundredths(v float64) string {
	if v >= .995 {
		return "100"
	}
	return fmt.Sprintf("%.2g", 100*v)
}
