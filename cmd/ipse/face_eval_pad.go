package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ipse/face"
	"ipse/face/attack"
	"ipse/face/eval"
)

type faceEvalPadCmd struct {
	packFlag
	Index         string        `required:"" help:"JSON index of recorded people and attacks (docs/evaluation.md)." type:"existingfile" placeholder:"FILE"`
	Split         string        `enum:"dev,test,all" default:"test" help:"Which people: dev, test or all."`
	Variants      int           `default:"2" help:"Generated presentations for each species and person, 1 to 100." placeholder:"N"`
	BonaFide      int           `name:"bona-fide" help:"Bona fide presentations for each person; default: eight times as many as variants." placeholder:"N"`
	Seed          uint64        `default:"1" help:"Seed of the generated presentations." placeholder:"S"`
	Species       string        `help:"Only these species, separated by commas." placeholder:"LIST"`
	Under         string        `name:"conditions" help:"Bona fide presentations before other cameras too, in these conditions: names separated by commas, all, or none." default:"none" placeholder:"LIST"`
	EachCondition int           `name:"each-condition" help:"Presentations of each condition, the people in turn; default: one for each person." placeholder:"N"`
	Filmed        bool          `help:"Attacks that stand before a camera are filmed in the same conditions, in turn."`
	Resume        string        `help:"File that keeps each presentation's outcome, so that an interrupted run goes on; no image goes into it." placeholder:"FILE"`
	AtMost        time.Duration `help:"Begin no presentation after this long and report on those made, e.g. 30m; they come in mixed order." placeholder:"TIME"`
	JSON          bool          `name:"json" help:"Print the report as JSON."`
	HTML          string        `name:"html" help:"Write the report as one HTML page." placeholder:"OUT"`
}

// bonaFidePerVariant is how many bona fide presentations a person gives for each of
// an attack species: a rate near zero needs more trials than one that must be zero.
const bonaFidePerVariant = 8

// Run measures and prints the report. A report is no verdict: the exit code is 0
// whatever the rates are.
func (cmd faceEvalPadCmd) Run(c *cliContext) error {
	if cmd.BonaFide == 0 {
		cmd.BonaFide = bonaFidePerVariant * cmd.Variants
	}
	if cmd.Variants < 1 || cmd.Variants > 100 || cmd.EachCondition < 0 || cmd.EachCondition > 10_000 || cmd.BonaFide < 1 || cmd.BonaFide > 10_000 {
		return usageError{errors.New("variants or bona fide presentations out of range")}
	}
	for _, name := range cmd.list() {
		if _, ok := attack.Of(attack.Species(name)); !ok {
			return usageError{fmt.Errorf("no species is named %q", name)}
		}
	}
	conditions, err := cmd.conditions()
	if err != nil {
		return usageError{err}
	}
	networks, err := cmd.load()
	if err != nil {
		return err
	}
	page, err := networkPage(networks)
	if err != nil {
		return err
	}
	thresholds, err := evalThresholds(networks)
	if err != nil {
		return err
	}
	material, err := readMaterial(cmd.Index, eval.Split(cmd.Split))
	if err != nil {
		return err
	}
	err = cmd.withEngine(c, "", func(e *face.Engine) error {
		material.engine = e
		bench := &padBench{cmd: cmd, c: c, material: material, pack: page.Hash, conditions: conditions}
		if page.PAD, err = bench.run(); err != nil {
			return err
		}
		page.Comparison, err = material.compare(c, thresholds)
		return err
	})
	c.progressDone()
	if err != nil {
		return err
	}
	page.Date = c.Now().UTC().Format("2006-01-02")
	page.Material = material.describe()
	page.Comparison.Pack, page.Comparison.Hash, page.Comparison.Date = page.Pack, page.Hash, page.Date
	if cmd.HTML != "" {
		if err := writeWhole(cmd.HTML, page.WriteHTML); err != nil {
			return err
		}
	}
	if cmd.JSON {
		return c.printJSON(page)
	}
	return printPad(c, page)
}

// networkPage begins a report with what is known of the pack.
func networkPage(p *face.Pack) (*eval.Page, error) {
	m := p.Manifest
	page := &eval.Page{Pack: m.Name, Hash: p.Hash(), Stated: eval.Stated{On: m.Comparison.Measured, InForce: m.Comparison.Default, Live: float64(m.Comparison.Live), LiveNote: m.Comparison.LiveNote}}
	for _, n := range m.Networks {
		page.Networks = append(page.Networks, eval.Network{Role: string(n.Role), File: n.File, SHA256: n.SHA256, Licence: n.Licence})
	}
	for _, t := range m.Comparison.Thresholds {
		page.Stated.Thresholds = append(page.Stated.Thresholds, eval.StatedThreshold{FMR: t.FMR, Threshold: float64(t.Cosine), FNMR: float64(t.FNMR)})
	}
	if len(page.Networks) == 0 {
		return nil, errors.New("the pack has no networks")
	}
	return page, nil
}

// writeWhole writes a file beside its place and then moves it there, so that an
// interruption leaves the old one or the new one.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".ipse-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func printPad(c *cliContext, page *eval.Page) error {
	p := page.PAD
	b := p.BonaFide
	if p.Presentations < p.Planned {
		fmt.Fprintf(c.Stdout, "made       %d of %d presentations\n", p.Presentations, p.Planned)
	}
	fmt.Fprintf(c.Stdout, "material   %s\npack       %s, %s\n", page.Material, page.Pack, page.Hash)
	fmt.Fprintf(c.Stdout, "\nbona fide  %d presentations of %d people\n  BPCER    %s\n  BPNRR    %s\n  refused  %s, for whatever reason\n",
		b.Presentations, b.People, rateLine(b.BPCER), rateLine(b.BPNRR), rateLine(b.Refused))
	for _, r := range b.Reasons {
		fmt.Fprintf(c.Stdout, "           %d: %s\n", r.Count, plainWords(r.Name))
	}
	fmt.Fprintf(c.Stdout, "  light    %s\n  where it is required: BPCER %s\n                        refused %s\n", countLine(b.Light), rateLine(b.Lit.BPCER), rateLine(b.Lit.Refused))
	for _, g := range b.Groups {
		fmt.Fprintf(c.Stdout, "  %-18s refused %s: %s\n", g.Name, rateLine(g.Refused), deviationWords(g.Deviation))
	}
	printConditions(c, p.Conditions)
	for _, s := range p.Species {
		printSpecies(c, s)
	}
	fmt.Fprintf(c.Stdout, "\nworst species, stated limits aside\n  APCER    %s: %s\n  IAPAR    %s: %s\n", plainWords(p.MaxAPCER.Species), rateLine(p.MaxAPCER.Rate), plainWords(p.MaxIAPAR.Species), rateLine(p.MaxIAPAR.Rate))
	fmt.Fprintf(c.Stdout, "the same where light is required\n  APCER    %s: %s\n  IAPAR    %s: %s\n", plainWords(p.Lit.MaxAPCER.Species), rateLine(p.Lit.MaxAPCER.Rate), plainWords(p.Lit.MaxIAPAR.Species), rateLine(p.Lit.MaxIAPAR.Rate))
	if page.Comparison != nil {
		printPoints(c, fmt.Sprintf("comparison, one image against one: %d genuine and %d impostor pairs of %d people", page.Comparison.Genuine, page.Comparison.Impostor, page.Comparison.People), page.Comparison.Points)
	}
	_, err := fmt.Fprintln(c.Stdout, "\nIntervals are exact (Clopper and Pearson), two-sided, 95 %. Presentations of one person are not independent:\nwith few people the truth is wider.")
	return err
}

func printSpecies(c *cliContext, s eval.SpeciesFigures) {
	note := ""
	if s.Limit {
		note = " (a stated limit)"
	}
	fmt.Fprintf(c.Stdout, "\n%s%s: %d presentations on %d portraits\n", strings.ToLower(s.Title), note, s.Presentations, s.People)
	if s.APCER != nil {
		fmt.Fprintf(c.Stdout, "  APCER    %s\n", rateLine(*s.APCER))
	}
	fmt.Fprintf(c.Stdout, "  IAPAR    %s\n", rateLine(s.IAPAR))
	if s.APNRR.Errors > 0 {
		fmt.Fprintf(c.Stdout, "  APNRR    %s\n", rateLine(s.APNRR))
	}
	var caught []string
	for _, f := range s.Signals {
		if f.Failed == 0 {
			continue
		}
		word := plainWords(f.Name) + " " + strconv.Itoa(f.Failed)
		if f.Alone > 0 {
			word += fmt.Sprintf(" (%d alone)", f.Alone)
		}
		caught = append(caught, word)
	}
	fmt.Fprintf(c.Stdout, "  refused by %s\n", strings.Join(caught, ", "))
	for _, k := range s.Accepted {
		fmt.Fprintf(c.Stdout, "  accepted: %d, %s\n", k.Count, k.Name)
	}
	fmt.Fprintf(c.Stdout, "  light    %s; where it is required: IAPAR %s\n", countLine(s.Light), rateLine(s.Lit.IAPAR))
}

// countLine writes counts in a row: "follows 9, not available 1".
func countLine(list []eval.Count) string {
	var words []string
	for _, n := range list {
		words = append(words, fmt.Sprintf("%s %d", plainWords(n.Name), n.Count))
	}
	return strings.Join(words, ", ")
}

func printConditions(c *cliContext, all *eval.Conditions) {
	if all == nil {
		return
	}
	fmt.Fprintf(c.Stdout, "\nbona fide in conditions  %d presentations, of which where a good picture is possible\n  BPCER    %s\n  refused  %s, for whatever reason\n",
		all.Presentations, rateLine(all.BPCER), rateLine(all.Refused))
	for _, k := range all.List {
		note := ""
		if k.Unfit {
			note = fmt.Sprintf(", no good picture possible: %d for its quality", k.Quality)
		}
		for _, r := range k.Reasons {
			note += fmt.Sprintf("; %d: %s", r.Count, plainWords(r.Name))
		}
		for _, s := range k.Signals {
			note += fmt.Sprintf("; %s %d", plainWords(s.Name), s.Count)
		}
		fmt.Fprintf(c.Stdout, "  %-18s refused %d of %d, taken for an attack %d of %d%s\n", plainWords(k.Name), k.Refused.Errors, k.Refused.Trials, k.BPCER.Errors, k.BPCER.Trials, note)
	}
}

func plainWords(code string) string { return strings.ReplaceAll(code, "_", " ") }

func deviationWords(d eval.Deviation) string {
	switch d {
	case eval.Within:
		return "within 25 % of the rate over all"
	case eval.Worse:
		return "more than 25 % worse than the rate over all"
	case eval.NoFailures:
		return "no error to compare"
	case eval.Undecided:
	}
	return "too few to tell"
}

// list is the species that are wanted; empty is all.
func (cmd faceEvalPadCmd) list() []string {
	return strings.FieldsFunc(cmd.Species, func(r rune) bool { return r == ',' || r == ' ' })
}

// conditions that are wanted.
func (cmd faceEvalPadCmd) conditions() ([]attack.Condition, error) {
	switch cmd.Under {
	case "all":
		return attack.Conditions(), nil
	case "none", "":
		return nil, nil
	}
	var list []attack.Condition
	for _, name := range strings.FieldsFunc(cmd.Under, func(r rune) bool { return r == ',' || r == ' ' }) {
		c, ok := attack.ConditionOf(name)
		if !ok {
			return nil, fmt.Errorf("no condition is named %q", name)
		}
		list = append(list, c)
	}
	return list, nil
}

// only says whether a species is wanted.
func (cmd faceEvalPadCmd) only(s attack.Species) bool {
	return cmd.Species == "" || slices.Contains(cmd.list(), string(s))
}

// ended is the error of a run that was interrupted.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	return nil
}
