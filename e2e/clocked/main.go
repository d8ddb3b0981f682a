// Command clocked is the demonstration with a clock that a test moves: the server
// of the browser tests that need time to pass. It is joined together by the same
// internal/app; the program that people run has no door for this.
//
//	clocked HOST:PORT DATA
//
// Each line of standard input is a duration by which the clock leaps ahead,
// answered by a line when it has. An interrupt, or the end of the input, ends it.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"ipse/internal/app"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "clocked:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return errors.New("usage: clocked HOST:PORT DATA")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var ahead atomic.Int64 // nanoseconds
	demo, err := app.NewDemo(ctx, app.DemoOptions{Address: os.Args[1], Data: os.Args[2], Version: "clocked", Rand: rand.Reader,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		return err
	}
	go func() {
		defer stop()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			by, err := time.ParseDuration(lines.Text())
			if err != nil {
				fmt.Fprintln(os.Stderr, "clocked:", err)
				return
			}
			ahead.Add(int64(by))
			fmt.Println("ahead by", time.Duration(ahead.Load()))
		}
	}()
	err = demo.Serve(ctx, func() {
		for _, s := range demo.Services() {
			fmt.Printf("     %-24s %s\n", s.Name, s.URL)
		}
		fmt.Println("Stop with Ctrl-C.")
	})
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, demo.Close(end))
}
