package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"ipse"
	"ipse/internal/config"
	services "ipse/internal/demo"
	"ipse/internal/httpapi"
	"ipse/internal/idp"
	"ipse/mrtd/deviation"
	"ipse/mrtd/trust"
)

// DemoOptions make a Demo. Every member is required but Data and Trust.
type DemoOptions struct {
	// Address to listen on, host:port, on loopback. The demo services take the
	// two ports after it.
	Address string
	// Data is the folder of the database; empty means a folder in memory that is
	// removed at the end.
	Data string
	// Trust names further trust sources, for documents other than the specimen's:
	// a real master list, or another specimen issuer. May be empty.
	Trust []string
	// Version, Log, Now, Rand as in Options.
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	Rand    io.Reader

	services []config.Service // registered besides the demo services
	metrics  string           // as server.metrics_address
}

// Demo is everything at once on one machine: the server, a specimen issuer that
// it alone trusts, specimen passports in software chips, and the demo services.
type Demo struct {
	app       *App
	desk      *passportDesk
	offices   []*office
	listener  net.Listener
	agentURL  string
	temporary string // folder to remove, or empty
}

// office is one demo service on its own port.
type office struct {
	service  *services.Service
	listener net.Listener
	url      string
}

// demo is what the demonstration changes in an App.
type demo struct {
	desk          *passportDesk
	registrations []idp.Service
}

// NewDemo listens and builds everything. PublicURL is http://localhost:PORT: a
// secure context for browsers, so that passkeys and the camera work without TLS.
func NewDemo(ctx context.Context, opts DemoOptions) (_ *Demo, err error) {
	listener, err := listenLoopback(opts.Address)
	if err != nil {
		return nil, err
	}
	d := &Demo{listener: listener}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close(ctx))
		}
	}()
	public := "http://localhost:" + strconv.Itoa(port(listener))
	if err := d.openOffices(opts, public); err != nil {
		return nil, err
	}
	data := opts.Data
	if data == "" {
		if data, err = memoryFolder(); err != nil {
			return nil, err
		}
		d.temporary = data
	}
	if d.desk, err = newPassportDesk("http://"+listener.Addr().String(), opts); err != nil {
		return nil, err
	}
	cfg := config.Default()
	cfg.Server.Address = listener.Addr().String()
	cfg.Server.MetricsAddress = opts.metrics
	cfg.Server.Data = data
	cfg.Server.PublicURL = public
	cfg.Trust.Sources = opts.Trust
	cfg.Service = opts.services
	cfg.Server.ShutdownTimeout = config.Duration(10 * time.Second)
	cfg.Operator = config.Operator{Name: "Utopia Digital Agency", Contact: "privacy@agency.example"}
	cfg.Counter.Places = []string{"Town hall, 1 Main Square: Monday to Friday, 9:00 to 17:00"}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("demo configuration: %w", err)
	}
	d.app, err = New(ctx, Options{Config: cfg, Version: opts.Version, Log: opts.Log, Now: opts.Now, Rand: opts.Rand,
		demo: &demo{desk: d.desk, registrations: d.registrations()}})
	if err != nil {
		return nil, err
	}
	d.agentURL, err = d.inviteAgent(ctx)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// demoAgentName is the one agent of the demonstration, whom whoever tries it out plays.
const demoAgentName = "Demo agent"

// inviteAgent returns where the demo agent goes: to their enrolment or, where the
// data folder knows them from an earlier run, to their page.
func (d *Demo) inviteAgent(ctx context.Context) (string, error) {
	staff := d.app.staff()
	known, err := staff.List(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range known {
		switch {
		case a.Name != demoAgentName || a.RemovedOn != "":
		case a.Key != nil:
			return d.URL() + "/agent", nil
		default: // never enrolled, and the code is gone
			if err := staff.Remove(ctx, a.ID); err != nil {
				return "", err
			}
		}
	}
	invited, err := staff.Add(ctx, demoAgentName)
	if err != nil {
		return "", err
	}
	return EnrolURL(d.URL(), invited.Code), nil
}

// openOffices makes the two demo services, on the ports after the server's own.
func (d *Demo) openOffices(opts DemoOptions, issuer string) error {
	host, own, err := net.SplitHostPort(opts.Address)
	if err != nil {
		return fmt.Errorf("demo address: %w", err)
	}
	for i, kind := range []services.Office{services.Tax, services.Family} {
		next := "0"
		if own != "0" {
			next = strconv.Itoa(port(d.listener) + 1 + i)
		}
		listener, err := listenLoopback(net.JoinHostPort(host, next))
		if err != nil {
			return err
		}
		o := &office{listener: listener, url: "http://localhost:" + strconv.Itoa(port(listener))}
		d.offices = append(d.offices, o)
		o.service, err = services.New(services.Config{Office: kind, Issuer: issuer, BaseURL: o.url, Now: opts.Now, Rand: opts.Rand, Logger: opts.Log})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) registrations() []idp.Service {
	var out []idp.Service
	for _, o := range d.offices {
		out = append(out, o.service.Registration())
	}
	return out
}

// AgentURL is where whoever tries the demonstration out becomes its agent.
func (d *Demo) AgentURL() string { return d.agentURL }

// URL is where to begin.
func (d *Demo) URL() string { return d.app.opts.Config.Server.PublicURL }

// DemoService is a demo service that people can log in to.
type DemoService struct{ Name, URL string }

// Services lists the demo services.
func (d *Demo) Services() []DemoService {
	var out []DemoService
	for _, o := range d.offices {
		out = append(out, DemoService{Name: o.service.Name("en"), URL: o.url})
	}
	return out
}

// Serve serves until ctx ends.
func (d *Demo) Serve(ctx context.Context, ready func()) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, o := range d.offices {
		server := &http.Server{Handler: o.service, ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, WriteTimeout: answerWithin,
			IdleTimeout: idleFor, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
		listener := o.listener
		o.listener = nil // the server closes it
		wg.Go(func() { _ = server.Serve(listener) })
		wg.Go(func() {
			<-ctx.Done()
			_ = server.Close() // visits live in memory: nothing is lost
		})
	}
	listener := d.listener
	d.listener = nil // ServeOn closes it
	return d.app.ServeOn(ctx, listener, func(net.Addr) { ready() })
}

// Close takes everything apart and removes the temporary folder.
func (d *Demo) Close(ctx context.Context) error {
	var errs []error
	if d.listener != nil {
		errs = append(errs, d.listener.Close())
	}
	for _, o := range d.offices {
		if o.listener != nil {
			errs = append(errs, o.listener.Close())
		}
	}
	if d.desk != nil {
		d.desk.close()
	}
	if d.app != nil {
		errs = append(errs, d.app.Close(ctx))
	}
	if d.temporary != "" {
		errs = append(errs, os.RemoveAll(d.temporary))
	}
	return errors.Join(errs...)
}

// listenLoopback refuses to offer the demonstration to a network: it lets
// anybody be anybody.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("demo address: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("demo address: the demonstration listens on loopback only, for example 127.0.0.1:8443")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("demo address: %w", err)
	}
	return listener, nil
}

func port(l net.Listener) int {
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// memoryFolder makes a folder on a memory file system where there is one.
func memoryFolder() (string, error) {
	for _, parent := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(parent, "ipse-demo-"); err == nil {
			return filepath.Clean(dir), nil
		}
	}
	return "", errors.New("demo: no place for a temporary folder; use --data")
}

// trust trusts the specimen authority, and what else was asked for.
func (d *demo) trust(a *App) error {
	sources := []trust.Source{{Name: "specimen authority", Data: d.desk.issuer.CSCA()}}
	for _, name := range a.opts.Config.Trust.Sources {
		found, err := readTrustSource(name)
		if err != nil {
			return err
		}
		sources = append(sources, found...)
	}
	loaded, _, err := trust.Load(sources, trust.Options{Policy: deviation.ICAO})
	if err != nil {
		return err
	}
	a.trust = trust.NewLive(loaded)
	return nil
}

// services are the demo services' registrations.
func (d *demo) services() []idp.Service { return d.registrations }

// change adds to the API what only the demonstration has.
func (d *demo) change(cfg *httpapi.Config, a *App) {
	cfg.Site.Demo = true
	cfg.Demo = d.desk
	cfg.Pace = 20 // everybody is one address here
	cfg.Pages = ownHost(a.opts.Config.Server.PublicURL, cfg.Pages)
}

// ownHost sends a browser that came by another name of this machine to the
// public address: passkeys and cookies belong to it.
func ownHost(public string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if "http://"+r.Host != public && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			http.Redirect(w, r, public+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var (
	personName = regexp.MustCompile(`^p\d\d$`)
	liveFile   = regexp.MustCompile(`^(truth\.json|frame_\d{4}\.jpg)$`)
)

// personFile reads a file of a rendered person.
func personFile(person, name string) ([]byte, error) {
	if !personName.MatchString(person) {
		return nil, httpapi.ErrDemoInput
	}
	content, err := fs.ReadFile(ipse.DemoPeople, path.Join("testdata/people/people", person, name))
	if err != nil {
		return nil, httpapi.ErrDemoInput
	}
	return content, nil
}

// File implements httpapi.Demo.
func (d *passportDesk) File(person, name string) ([]byte, error) {
	if !liveFile.MatchString(name) {
		return nil, httpapi.ErrDemoInput
	}
	return personFile(person, "live/"+name)
}
