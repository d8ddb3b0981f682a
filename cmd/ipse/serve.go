package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ipse/internal/app"
	"ipse/internal/config"
	"ipse/internal/pii"
)

type serveCmd struct {
	Config string `required:"" help:"Configuration file; see ipse config reference." type:"path" placeholder:"FILE"`
	Debug  bool   `help:"Log more. Still nothing personal."`
}

// Run serves until interrupted.
func (cmd serveCmd) Run(c *cliContext) error {
	began := c.Now()
	cfg, err := config.Load(cmd.Config)
	if err != nil {
		return err
	}
	log := newLog(c.Stderr, cmd.Debug)
	server, err := app.New(c.Context, app.Options{Config: cfg, Version: c.Version, Log: log, Now: c.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	stop := onHangup(func() {
		defer pii.Contain(c.Context, log, "reload")
		if err := server.ReloadTrust(c.Context); err != nil {
			log.ErrorContext(c.Context, "reload", "error", err)
		}
	})
	defer stop()
	err = server.Serve(c.Context, func(address net.Addr) {
		log.Info("ready", "address", address.String(), "public_url", cfg.Server.PublicURL, "version", c.Version, "ms", c.Now().Sub(began).Milliseconds())
	})
	if err := errors.Join(err, closeWithin(server.Close, time.Duration(cfg.Server.ShutdownTimeout))); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// onHangup calls do for every SIGHUP, one at a time, until stop is called.
func onHangup(do func()) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range signals {
			do()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// newLog writes one JSON line an event, through the handler that lets nothing
// personal pass.
func newLog(w io.Writer, debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(pii.NewHandler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})))
}

// closeWithin closes what an interrupt must not stop from being wiped.
func closeWithin(closing func(context.Context) error, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := closing(ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
