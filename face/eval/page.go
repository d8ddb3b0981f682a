package eval

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed report.html
var pageText string

// Page is a report for people: the comparison, presentation attack detection, or
// both, and what they were measured with. It names no file of the set and no person.
type Page struct {
	Pack       string    `json:"pack"`
	Hash       string    `json:"pack_hash"`
	Date       string    `json:"date"`     // yyyy-mm-dd
	Material   string    `json:"material"` // what was measured on, in a few words
	Networks   []Network `json:"networks,omitempty"`
	Stated     Stated    `json:"stated"`
	PAD        *PAD      `json:"pad,omitempty"`
	Comparison *Report   `json:"comparison,omitempty"`
}

// Network is a file of the model pack.
type Network struct {
	Role    string `json:"role"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Licence string `json:"licence"`
}

// Stated is what the pack says of its thresholds.
type Stated struct {
	Thresholds []StatedThreshold `json:"thresholds,omitempty"`
	InForce    string            `json:"in_force,omitempty"` // the FMR of the threshold in force
	On         string            `json:"measured_on,omitempty"`
	Live       float64           `json:"live,omitempty"` // least similarity of a live check
	LiveNote   string            `json:"live_note,omitempty"`
}

// StatedThreshold is one threshold of the pack.
type StatedThreshold struct {
	FMR       string  `json:"fmr"`
	Threshold float64 `json:"threshold"`
	FNMR      float64 `json:"fnmr"`
}

// WriteHTML writes the page. It needs nothing else: no script, no font, no picture
// from elsewhere.
func (p *Page) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"percent": percent,
		"plain":   func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"strength": func(n, of int) int { // of a cell's colour, in per cent
			return int(math.Round(32 * float64(n) / float64(max(of, 1))))
		},
		"deviation": deviationText,
		"alone":     alone,
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("eval: page: %w", err)
	}
	view := struct {
		*Page
		Curve   *curve
		Bars    *bars
		Forest  *forest
		Columns []string
	}{Page: p}
	if p.Comparison != nil {
		view.Curve, view.Bars = p.Comparison.draw(), p.Comparison.bars()
	}
	if p.PAD != nil {
		view.Forest, view.Columns = p.PAD.forest(), p.PAD.columns()
	}
	if err := t.Execute(w, view); err != nil {
		return fmt.Errorf("eval: write page: %w", err)
	}
	return nil
}

func deviationText(d Deviation) string {
	switch d {
	case Within:
		return "within 25 %"
	case Worse:
		return "more than 25 % worse"
	case NoFailures:
		return "no error to compare"
	case Undecided:
	}
	return "too few to tell"
}

// alone names the signals that were the only one to refuse a presentation.
func alone(f SpeciesFigures) string {
	var list []string
	for _, s := range f.Signals {
		if s.Alone > 0 {
			list = append(list, fmt.Sprintf("%s (%d of %d)", strings.ReplaceAll(s.Name, "_", " "), s.Alone, f.Presentations))
		}
	}
	return strings.Join(list, ", ")
}

// columns are the names of the signals, in the order in which the check reports them.
func (p *PAD) columns() []string {
	var names []string
	for _, s := range p.BonaFide.Signals {
		names = append(names, s.Name)
	}
	return names
}

// forest draws a rate and its interval a line: the species' IAPAR.
type forest struct {
	Rows                []forestRow
	Ticks               []tick
	Left, Right, Height float64
	TickTop             float64
}

type forestRow struct {
	Label            string
	Y, At, Low, High float64
	Text             string
	Limit            bool
}

const forestLeft, forestWidth, forestRowHeight = 210.0, 330.0, 26.0

func (p *PAD) forest() *forest {
	f := &forest{Left: forestLeft, Right: forestLeft + forestWidth}
	x := func(v float64) float64 { return forestLeft + forestWidth*v }
	row := func(label string, s Statement, limit bool) {
		if s.Value == nil {
			return
		}
		f.Rows = append(f.Rows, forestRow{Label: label, Y: 20 + forestRowHeight*float64(len(f.Rows)), At: x(*s.Value), Low: x(s.Interval.Low), High: x(s.Interval.High),
			Text: percent(s.Value) + ", " + percent(s.Interval.Low) + " to " + percent(s.Interval.High), Limit: limit})
	}
	row("Genuine people refused", p.BonaFide.Refused, false)
	for _, s := range p.Species {
		row(s.Title, s.IAPAR, s.Limit)
	}
	f.TickTop = 20 + forestRowHeight*float64(len(f.Rows))
	f.Height = f.TickTop + 30
	for _, v := range []float64{0, .25, .5, .75, 1} {
		f.Ticks = append(f.Ticks, tick{x(v), fmt.Sprintf("%g %%", 100*v)})
	}
	return f
}

// bars draws the two distributions of scores, each to its own greatest bin.
type bars struct {
	Genuine, Impostor []bar
	Ticks             []tick
	Marks             []mark
	Bottom            float64
}

type bar struct{ X, Y, W, H float64 }

func (r *Report) bars() *bars {
	h := r.Scores
	if h == nil || r.Genuine == 0 || r.Impostor == 0 {
		return nil
	}
	const bottom, high = 200.0, 170.0
	b := &bars{Bottom: bottom}
	w := plotWidth / float64(len(h.Genuine))
	fill := func(counts []int, offset float64) []bar {
		most := 1
		for _, n := range counts {
			most = max(most, n)
		}
		var list []bar
		for i, n := range counts {
			if n > 0 {
				y := max(2, high*float64(n)/float64(most))
				list = append(list, bar{plotLeft + w*(float64(i)+offset), bottom - y, w * .44, y})
			}
		}
		return list
	}
	b.Genuine, b.Impostor = fill(h.Genuine, .52), fill(h.Impostor, .04)
	at := func(score float64) float64 { return plotLeft + w*(score-h.Low)/h.Width }
	for i := range len(h.Genuine) + 1 {
		v := h.Low + float64(i)*h.Width
		if tenth := math.Round(v * 20); math.Mod(tenth, 4) == 0 {
			b.Ticks = append(b.Ticks, tick{at(v), fmt.Sprintf("%.1f", v+1e-9)})
		}
	}
	for i, p := range r.Points {
		b.Marks = append(b.Marks, mark{X: at(p.Threshold), Y: 12 + 13*float64(i), Label: p.Claimed})
	}
	return b
}
