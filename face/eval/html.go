package eval

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteHTML writes the report as one page that needs nothing else: no script, no
// font, no picture from elsewhere.
func (r *Report) WriteHTML(w io.Writer) error {
	return (&Page{Pack: r.Pack, Hash: r.Hash, Date: r.Date, Comparison: r}).WriteHTML(w)
}

// percent writes a fraction, or a pointer to one, as a percentage of two
// significant figures.
func percent(v any) string {
	f, ok := v.(float64)
	if p, isPointer := v.(*float64); isPointer && p != nil {
		f, ok = *p, true
	}
	if !ok {
		return ""
	}
	switch f *= 100; {
	case f == 0:
		return "0 %"
	case f >= 99.95:
		return "100 %"
	case f >= 10:
		return fmt.Sprintf("%.1f %%", f)
	}
	return fmt.Sprintf("%.*f %%", max(1, 1-int(math.Floor(math.Log10(f)))), f)
}

// The drawing area of the curve in SVG units.
const (
	plotLeft, plotTop     = 74.0, 14.0
	plotWidth, plotHeight = 600.0, 330.0
)

type tick struct {
	At    float64
	Label string
}

type mark struct {
	X, Y  float64
	Label string
	Right bool // the label stands to the left of the mark
}

// curve is a DET curve on two logarithmic axes.
type curve struct {
	Left, Top, Right, Bottom float64
	Line                     string
	X, Y                     []tick
	Marks                    []mark
	Unsupported              float64 // width of the part left of 3/n
}

// draw places the curve; nil without one. A rate of zero lies on the axis.
func (r *Report) draw() *curve {
	if len(r.DET) == 0 {
		return nil
	}
	lowX, lowY := decade(r.Impostor), decade(r.Genuine)
	place := func(v, low, size float64) float64 {
		if v <= 0 {
			return 0
		}
		return size * max(0, 1-math.Log10(v)/low)
	}
	x := func(v float64) float64 { return plotLeft + place(v, lowX, plotWidth) }
	y := func(v float64) float64 { return plotTop + plotHeight - place(v, lowY, plotHeight) }
	c := &curve{Left: plotLeft, Top: plotTop, Right: plotLeft + plotWidth, Bottom: plotTop + plotHeight}
	var line strings.Builder
	for i, p := range r.DET {
		if i > 0 { // a step: the rates change at scores, not between them
			fmt.Fprintf(&line, "%.1f,%.1f ", x(p.FMR), y(r.DET[i-1].FNMR))
		}
		fmt.Fprintf(&line, "%.1f,%.1f ", x(p.FMR), y(p.FNMR))
	}
	c.Line = line.String()
	c.X, c.Y = ticks(lowX, x), ticks(lowY, y)
	c.Unsupported = x(min(1, 3/float64(r.Impostor))) - plotLeft
	for _, p := range r.Points {
		m := mark{X: x(p.FMR.Rate.Value()), Y: y(p.FNMR.Rate.Value()), Label: p.Claimed}
		if n := len(c.Marks); n > 0 && math.Hypot(m.X-c.Marks[n-1].X, m.Y-c.Marks[n-1].Y) < 16 {
			c.Marks[n-1].Label += ", " + p.Claimed
			continue
		}
		c.Marks = append(c.Marks, m)
	}
	for i := range c.Marks {
		c.Marks[i].Right = c.Marks[i].X > plotLeft+plotWidth*.75
	}
	return c
}

// decade is the power of ten below one in n.
func decade(n int) float64 { return -max(1, math.Ceil(math.Log10(float64(n))+1e-9)) }

func ticks(low float64, at func(float64) float64) []tick {
	var list []tick
	for d := 0.0; d >= low; d-- {
		list = append(list, tick{at(math.Pow(10, d)), fmt.Sprintf("%g %%", math.Round(math.Pow(10, d+8))/1e6)})
	}
	list[len(list)-1].Label = "0"
	return list
}
