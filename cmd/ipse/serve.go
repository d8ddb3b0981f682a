package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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
	err = server.Serve(c.Context, func(address net.Addr) {
		log.Info("ready", "address", address.String(), "public_url", cfg.Server.PublicURL, "version", c.Version, "ms", c.Now().Sub(began).Milliseconds())
	})
	return errors.Join(err, closeWithin(server.Close, time.Duration(cfg.Server.ShutdownTimeout)))
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
