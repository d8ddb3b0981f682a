package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"ipse/internal/app"
)

// benchCmd prints the figures of docs/performance.md on this machine, over the
// program's own code.
type benchCmd struct {
	What     string `arg:"" optional:"" help:"${enum}; default all." enum:"chip,face,login,all" default:"all"`
	For      int    `help:"Repetitions of each measurement." default:"20" placeholder:"N"`
	Sessions int    `help:"With face: how much memory so many short live checks, one after the other, take." placeholder:"N"`
	JSON     bool   `name:"json" help:"Print as JSON."`
}

// figure is one measurement. Times are in milliseconds.
type figure struct {
	Name   string  `json:"name"`
	Median float64 `json:"median_ms"`
	P95    float64 `json:"p95_ms"`
	N      int     `json:"n"`
	Note   string  `json:"note,omitempty"`
}

// figureOf summarises durations; it sorts them.
func figureOf(name string, took []time.Duration, note string) figure {
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(len(took)-1, int(share*float64(len(took))))].Microseconds()) / 1000
	}
	return figure{Name: name, Median: at(0.5), P95: at(0.95), N: len(took), Note: note}
}

// Run measures and prints.
func (cmd benchCmd) Run(c *cliContext) error {
	if cmd.For < 1 || cmd.For > 100_000 {
		return usageError{errors.New("--for: between 1 and 100000")}
	}
	var all []figure
	for _, part := range []struct {
		name    string
		measure func(*cliContext) ([]figure, error)
	}{{"chip", cmd.chip}, {"face", cmd.face}, {"login", cmd.login}} {
		if cmd.What != "all" && cmd.What != part.name {
			continue
		}
		figures, err := part.measure(c)
		c.progressDone()
		if err != nil {
			return fmt.Errorf("bench %s: %w", part.name, err)
		}
		all = append(all, figures...)
	}
	if cmd.JSON {
		return c.printJSON(map[string]any{"cpus": runtime.GOMAXPROCS(0), "version": c.Version, "figures": all})
	}
	fmt.Fprintf(c.Stdout, "%-44s %10s %10s %6s\n", "", "median ms", "p95 ms", "n")
	for _, f := range all {
		if _, err := fmt.Fprintf(c.Stdout, "%-44s %10.2f %10.2f %6d  %s\n", f.Name, f.Median, f.P95, f.N, f.Note); err != nil {
			return err
		}
	}
	return nil
}

// timed runs f n times and returns how long each took.
func timed(c *cliContext, n int, f func() error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for i := range n {
		if err := c.Context.Err(); err != nil {
			return nil, err
		}
		c.progress("%d of %d", i+1, n)
		began := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// login measures logins at a service over HTTP on loopback, with the store on
// this machine's temporary folder.
func (cmd benchCmd) login(c *cliContext) (_ []figure, err error) {
	dir, err := os.MkdirTemp("", "ipse-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.progress("starting a server")
	bench, err := app.NewLoginBench(c.Context, dir, c.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeWithin(bench.Close, 10*time.Second)) }()
	var out []figure
	for _, workers := range []int{1, 8} {
		c.progress("%d browsers", workers)
		began := time.Now()
		took, err := bench.Run(c.Context, workers, cmd.For)
		if err != nil {
			return nil, err
		}
		rate := float64(len(took)) / time.Since(began).Seconds()
		out = append(out, figureOf(fmt.Sprintf("login, %d browsers", workers), took, fmt.Sprintf("%.0f logins/s", rate)))
	}
	return out, nil
}
