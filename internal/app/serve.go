package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"ipse/internal/pii"
)

// Timing of HTTP connections. Streams and WebSockets set their own.
const (
	headerWithin  = 10 * time.Second
	requestWithin = 30 * time.Second
	answerWithin  = 60 * time.Second
	idleFor       = 2 * time.Minute
	maxHeader     = 32 << 10
)

// Serve listens on the configured address and serves until ctx ends, then stops
// in order: no new requests, streams end, requests under way finish (at most
// ShutdownTimeout), sweeps stop. It does not Close the App. ready, if not nil, is
// called once the server answers.
func (a *App) Serve(ctx context.Context, ready func(net.Addr)) error {
	listener, err := net.Listen("tcp", a.opts.Config.Server.Address)
	if err != nil {
		return fmt.Errorf("server.address: %w", err)
	}
	return a.ServeOn(ctx, listener, ready)
}

// ServeOn is Serve on a listener that exists already; it closes it.
func (a *App) ServeOn(ctx context.Context, listener net.Listener, ready func(net.Addr)) error {
	address := listener.Addr()
	listener, err := a.secured(listener)
	if err != nil {
		return err
	}
	jobs, err := a.jobs()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, WriteTimeout: answerWithin,
		IdleTimeout: idleFor, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(quiet{a.log.Handler()}, slog.LevelDebug)}
	working, stopJobs := context.WithCancel(ctx)
	defer stopJobs()
	var background sync.WaitGroup
	for _, job := range jobs {
		background.Go(func() { job(working) })
	}
	failed := make(chan error, 1)
	background.Go(func() { failed <- server.Serve(listener) })
	if ready != nil {
		ready(address)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = a.shutdown(server)
	}
	stopJobs()
	background.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// secured adds TLS where it is configured; it closes the listener where that fails.
func (a *App) secured(listener net.Listener) (net.Listener, error) {
	s := a.opts.Config.Server
	if s.TLSCertificate == "" {
		return listener, nil
	}
	certificate := &certificateFile{certificate: s.TLSCertificate, key: s.TLSKey, now: a.opts.Now}
	if _, err := certificate.get(nil); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get, NextProtos: []string{"http/1.1"}}), nil
}

// jobs are what runs beside the server, each until its context ends.
func (a *App) jobs() ([]func(context.Context), error) {
	jobs := []func(context.Context){a.sweep, a.idp.Run,
		func(ctx context.Context) { attempt(ctx, a.log, "RSA key", a.makeRSAKey) }}
	if a.opts.Config.Server.MetricsAddress != "" {
		listener, err := a.listenMetrics()
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, func(ctx context.Context) { a.serveMetrics(ctx, listener) })
	}
	return jobs, nil
}

func (a *App) shutdown(server *http.Server) error {
	a.log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.opts.Config.Server.ShutdownTimeout))
	defer cancel()
	a.api.Close() // ends streams, which Shutdown would wait for
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("requests under way were cut off")
		return server.Close()
	}
	return err
}

// sweep expires what is due until ctx ends.
func (a *App) sweep(ctx context.Context) {
	type job struct {
		what  string
		every time.Duration
		do    func(context.Context) error
	}
	jobs := []job{
		{"checks", 5 * time.Second, a.proofing.Sweep},
		{"sessions", 2 * time.Minute, func(ctx context.Context) error { _, err := a.accounts.Sweep(ctx); return err }},
		{"counter", 5 * time.Minute, func(ctx context.Context) error { _, err := a.counter.Sweep(ctx); return err }},
		{"logins", time.Minute, a.idp.Sweep},
		{"disk", time.Minute, a.checkDisk},
	}
	if every := time.Duration(a.opts.Config.Trust.CheckEvery); a.lists != nil && every > 0 {
		jobs = append(jobs, job{"trust lists", every, a.lists.refresh})
	}
	var wg sync.WaitGroup
	for _, s := range jobs {
		wg.Go(func() { repeat(ctx, a.log, s.what, s.every, s.do) })
	}
	wg.Wait()
}

// repeat does something at an interval until ctx ends. An error or a panic is
// logged, without what it was about, and the next turn comes all the same.
func repeat(ctx context.Context, log *slog.Logger, what string, every time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if ctx.Err() != nil { // also when a turn is due at the same moment
			return
		}
		attempt(ctx, log, what, do)
	}
}

// attempt does something in the background: what goes wrong is for the log.
func attempt(ctx context.Context, log *slog.Logger, what string, do func(context.Context) error) {
	defer pii.Contain(ctx, log, what)
	if err := do(ctx); err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "in the background", "what", what, "error", err)
	}
}

// makeRSAKey makes the slow key of a first start before a service asks for it.
func (a *App) makeRSAKey(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	_, err := a.keys.TokenRSA.Signer()
	return err
}

// certificateFile reads the certificate again when the file has changed, looking
// at most once a minute: a renewal needs no restart.
type certificateFile struct {
	certificate, key string
	now              func() time.Time

	mu     sync.Mutex // guards what follows
	loaded *tls.Certificate
	of     time.Time // modification time of what is loaded
	looked time.Time
}

func (f *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.loaded != nil && now.Sub(f.looked) < time.Minute {
		return f.loaded, nil
	}
	f.looked = now
	info, err := os.Stat(f.certificate)
	if err == nil && f.loaded != nil && info.ModTime().Equal(f.of) {
		return f.loaded, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(f.certificate, f.key)
	}
	switch {
	case err == nil:
		f.loaded, f.of = &pair, info.ModTime()
	case f.loaded == nil:
		return nil, fmt.Errorf("load the TLS certificate: %w", err)
	}
	return f.loaded, nil // the old one, while the new pair is being written
}

// quiet drops the text of net/http's own messages, which name client addresses.
type quiet struct{ slog.Handler }

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	return q.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "connection trouble", r.PC))
}
