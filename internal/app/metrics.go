package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"ipse/internal/metrics"
	"ipse/internal/proofing"
)

// newMetrics makes the counters that the services feed; gauges follow when the
// services exist (addGauges).
func newMetrics() *meters {
	r := &metrics.Registry{}
	return &meters{registry: r,
		requests: r.Counter("ipse_requests_total", "Requests answered, by class of route and of status.", "class", "status"),
		took: r.Histogram("ipse_request_seconds", "How long answers took, without what stays open.",
			[]float64{.001, .003, .01, .03, .1, .3, 1, 3, 10}, "class"),
		checks: r.Counter("ipse_checks_total", "Identity checks that came to an outcome, and why where they were refused.", "outcome", "reason")}
}

// meters are what the services feed.
type meters struct {
	registry *metrics.Registry
	requests *metrics.Counter
	took     *metrics.Histogram
	checks   *metrics.Counter
}

// request is httpapi.Config.Observe.
func (m *meters) request(class string, status int, took time.Duration) {
	m.requests.Add(1, class, fmt.Sprintf("%dxx", status/100))
	if class != "stream" {
		m.took.Observe(took.Seconds(), class)
	}
}

// check is proofing.Config.Observe. The route is not counted: of few checks in a
// day it would say which way a person went.
func (m *meters) check(from, to proofing.Position) {
	if from.State == to.State {
		return
	}
	switch to.State {
	case proofing.StateAccount:
		m.checks.Add(1, "accepted", "")
	case proofing.StateDone, proofing.StateRefused, proofing.StateAbandoned, proofing.StateExpired:
		m.checks.Add(1, string(to.State), string(to.Reason))
	case proofing.StateConsent, proofing.StateDocument, proofing.StateFace, proofing.StateCounter:
	}
}

// addGauges adds what is read when it is shown.
func (a *App) addGauges() {
	began := a.opts.Now()
	one := func(name, help string, read func() float64) {
		a.meters.registry.Gauge(name, help, func(emit func(float64, ...string)) { emit(read()) })
	}
	one("ipse_start_time_seconds", "When the process started, Unix time.", func() float64 { return float64(began.Unix()) })
	one("ipse_checks_in_memory", "Identity checks under way.", func() float64 { return float64(a.proofing.Load().Sessions) })
	one("ipse_readings_running", "Readings of chips under way.", func() float64 { return float64(a.proofing.Load().Readings) })
	one("ipse_face_checks_running", "Live checks under way.", func() float64 { return float64(a.proofing.Load().FaceRuns) })
	one("ipse_logins_waiting", "Logins and pushed requests that wait for an answer.", func() float64 { return float64(a.idp.Load().Pending) })
	one("ipse_logout_notices_waiting", "Services still to be told of a logout.", func() float64 { return float64(a.idp.Load().Notices) })
	one("ipse_database_up", "Whether the database answers: 1 or 0.", a.databaseUp)
	one("ipse_database_bytes", "Size of the database's files.", a.databaseBytes)
	a.meters.registry.Gauge("ipse_data_free_bytes", "Room left for the data folder.", func(emit func(float64, ...string)) {
		if free, known := a.freeBytes(); known {
			emit(float64(free))
		}
	})
	one("ipse_trust_authorities", "Authorities whose documents are accepted.", func() float64 { return float64(a.trust.Get().Len()) })
	one("ipse_trust_revocation_lists", "Revocation lists in force.", func() float64 { return float64(a.trust.Get().CRLCount()) })
	a.meters.registry.Gauge("ipse_trust_oldest_file_age_seconds", "How long ago the oldest file of the trust sources was written.", a.trustAge)
	one("ipse_goroutines", "Goroutines.", func() float64 { return float64(runtime.NumGoroutine()) })
	one("ipse_memory_bytes", "Memory that the Go runtime has from the system.", func() float64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.Sys)
	})
}

func (a *App) databaseUp() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if a.store.Ping(ctx) != nil {
		return 0
	}
	return 1
}

func (a *App) databaseBytes() float64 {
	var sum int64
	for _, name := range []string{"ipse.db", "ipse.db-wal"} {
		if info, err := os.Stat(a.data(name)); err == nil {
			sum += info.Size()
		}
	}
	return float64(sum)
}

func (a *App) trustAge(emit func(float64, ...string)) {
	var oldest time.Time
	for _, source := range a.opts.Config.Trust.Sources {
		names, err := trustFilesOf(source)
		if err != nil {
			continue
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && (oldest.IsZero() || info.ModTime().Before(oldest)) {
				oldest = info.ModTime()
			}
		}
	}
	if !oldest.IsZero() {
		emit(a.opts.Now().Sub(oldest).Seconds())
	}
}

// listenMetrics opens the address of the metrics: of loopback, if it names no host.
func (a *App) listenMetrics() (net.Listener, error) {
	host, port, err := net.SplitHostPort(a.opts.Config.Server.MetricsAddress)
	if err != nil {
		return nil, fmt.Errorf("server.metrics_address: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("server.metrics_address: %w", err)
	}
	return listener, nil
}

// serveMetrics shows the metrics until ctx ends.
func (a *App) serveMetrics(ctx context.Context, listener net.Listener) {
	server := &http.Server{Handler: a.meters.registry, ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, WriteTimeout: requestWithin,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(quiet{a.log.Handler()}, slog.LevelDebug)}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	a.log.InfoContext(ctx, "metrics", "address", listener.Addr().String())
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "metrics", "error", err)
	}
}
