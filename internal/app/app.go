// Package app is the only place where Ipse's parts are connected: it builds
// them from a configuration, translates between a service's small interfaces
// and the engines, and starts and stops everything in order.
package app

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/account"
	"ipse/internal/config"
	"ipse/internal/consent"
	"ipse/internal/counter"
	"ipse/internal/fair"
	"ipse/internal/httpapi"
	"ipse/internal/idp"
	"ipse/internal/proofing"
	"ipse/internal/relay"
	"ipse/internal/store"
	"ipse/internal/vault"
	"ipse/mrtd/trust"
	"ipse/web"
)

// Options make an App. Every member is required.
type Options struct {
	// Config is valid (config.Load or Validate).
	Config config.Config
	// Version of the program, shown by the API.
	Version string
	// Log receives events; it should end in a pii.Handler.
	Log *slog.Logger
	// Now is the clock; Rand yields secrets (crypto/rand.Reader).
	Now  func() time.Time
	Rand io.Reader

	// demo is set by NewDemo only.
	demo *demo
	// pace multiplies the allowance of clients; set by NewLoginBench, where everybody
	// is one address.
	pace int
}

// App is the whole server. New builds it, Serve runs it, Close takes it apart.
type App struct {
	opts Options
	log  *slog.Logger

	meters   *meters
	lock     *os.File // of the data folder
	keys     *Keys
	store    *store.DB
	trust    *trust.Live
	lists    *trustLists // nil in the demonstration
	hub      *relay.Hub
	models   *models
	chip     *chipReader
	vault    *vault.Vault
	accounts *account.Service
	proofing *proofing.Service
	counter  *counter.Service
	idp      *idp.Provider
	api      *httpapi.API
}

// New builds everything in order: memory hardening first, then keys, store,
// trust, the services, the doors. It listens to nothing yet. When it fails it
// leaves nothing open.
func New(ctx context.Context, opts Options) (*App, error) {
	if opts.Log == nil || opts.Now == nil || opts.Rand == nil {
		return nil, errors.New("app: no log, no clock or no random source")
	}
	a := &App{opts: opts, log: opts.Log, meters: newMetrics()}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"protect the memory", a.protect},
		{"data folder", a.openFolder},
		{"keys", a.loadKeys},
		{"store", a.openStore},
		{"trust", a.loadTrust},
		{"services", a.buildServices},
		{"counter", a.buildCounter},
		{"OpenID provider", a.buildProvider},
		{"API", a.buildAPI},
	} {
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("start: %s: %w", step.what, err), a.Close(ctx))
		}
	}
	return a, nil
}

// Handler serves everything: API, OpenID provider, relay, pages.
func (a *App) Handler() http.Handler { return a.api }

// Close takes everything apart in the opposite order and wipes what sessions
// hold in memory. It may be called on what New left half built.
func (a *App) Close(ctx context.Context) error {
	var errs []error
	if a.api != nil {
		a.api.Close()
	}
	if a.proofing != nil {
		errs = append(errs, a.proofing.Close(ctx))
	}
	if a.hub != nil {
		a.hub.Close()
	}
	if a.models != nil {
		errs = append(errs, a.models.close())
	}
	if a.chip != nil {
		errs = append(errs, a.chip.close(ctx))
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.keys != nil {
		a.keys.TokenRSA.close()
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

// databaseName is the file of the database in the data folder.
const databaseName = "ipse.db"

func (a *App) data(name string) string { return filepath.Join(a.opts.Config.Server.Data, name) }

// protect keeps memory out of dumps, and warns where it may reach a disk.
func (a *App) protect(ctx context.Context) error {
	if swapInUse() {
		a.log.WarnContext(ctx, "swap is on: unless it is encrypted or switched off for this process, faces in memory may reach a disk (docs/operate.md)")
	}
	return harden()
}

func (a *App) loadKeys(context.Context) (err error) {
	a.keys, err = LoadKeys(a.data("keys"), a.opts.Rand)
	return err
}

func (a *App) openStore(ctx context.Context) (err error) {
	a.store, err = store.Open(ctx, store.Config{Path: a.data(databaseName)})
	return err
}

func (a *App) loadTrust(context.Context) (err error) {
	if a.opts.demo != nil {
		return a.opts.demo.trust(a)
	}
	a.lists, err = newTrustLists(a.opts.Config.Trust, a.log)
	if err != nil {
		return err
	}
	a.trust = a.lists.live
	return nil
}

// ReloadTrust reads the trust lists of the configuration again and puts them in force
// for checks that begin later; where that fails, the lists in force stay. It may be
// called at any time. The demonstration's authority is its own: there is nothing to do.
func (a *App) ReloadTrust(ctx context.Context) error {
	if a.lists == nil {
		return nil
	}
	return a.lists.reload(ctx)
}

func (a *App) buildServices(context.Context) (err error) {
	cfg, now, random := a.opts.Config, a.opts.Now, a.opts.Rand
	client, err := a.client()
	if err != nil {
		return err
	}
	if a.hub, err = relay.NewHub(relay.Config{Now: now, Rand: random, Log: a.log, Client: client}); err != nil {
		return err
	}
	id, err := thumbprint(&a.keys.Receipts.PublicKey)
	if err != nil {
		return err
	}
	issuer, err := consent.NewIssuer(consent.Config{Key: a.keys.Receipts, KeyID: id,
		Operator: consent.Operator{Name: cfg.Operator.Name, Contact: cfg.Operator.Contact, PrivacyURL: cfg.Operator.PrivacyURL}})
	if err != nil {
		return err
	}
	from := "" // a server loads no code from the folder that it happens to be started in
	if a.opts.demo != nil {
		from = "."
	}
	if a.models, err = newModels(cfg.Face, from, random, now, a.log); err != nil {
		return err
	}
	if a.chip, err = newChipReader(a.trust, cfg.Trust, random, now); err != nil {
		return err
	}
	a.proofing, err = proofing.NewService(proofing.Config{Agents: agents{a}, Policy: proofingPolicy(cfg.Proofing), Consent: issuer, Store: a.store,
		Readers: readers{a.hub}, Chip: a.chip, Face: a.models, FaceSteps: faceSteps(cfg.Face), Now: now, Rand: random, Log: a.log, Observe: a.meters.check,
		MaxReadings: cfg.Proofing.ConcurrentReadings, MaxFaceRuns: cfg.Face.ConcurrentChecks})
	if err != nil {
		return err
	}
	a.vault, err = vault.New(vault.Config{ClaimsKey: a.keys.Claims, Issuer: cfg.Server.PublicURL, Now: now, Rand: random})
	if err != nil {
		return err
	}
	host, origin, err := relyingParty(cfg.Server.PublicURL)
	if err != nil {
		return err
	}
	a.accounts, err = account.New(account.Config{Store: a.store, Vault: a.vault, RPID: host, RPName: "Ipse",
		Origins: []string{origin}, Now: now, Rand: random})
	return err
}

func (a *App) buildProvider(context.Context) error {
	services, err := servicesOf(a.opts.Config.Service)
	if err != nil {
		return err
	}
	if a.opts.demo != nil {
		services = append(services, a.opts.demo.services()...)
	}
	a.idp, err = idp.New(idp.Config{Issuer: a.opts.Config.Server.PublicURL, Name: "Ipse", PairwiseKey: a.keys.Pairwise,
		Keys:     []idp.SigningKey{{Algorithm: "ES256", Signer: a.keys.TokenEC}, {Algorithm: "RS256", Make: a.keys.TokenRSA.Signer}},
		Services: services, Store: a.store.Records(), Verifier: claimsVerifier{a.vault}, Journal: journal{a.vault, a.accounts},
		EndSession: func(w http.ResponseWriter, r *http.Request, theirs func(string) bool) { a.api.EndSession(w, r, theirs) }, // the API is built after
		Admit:      func(r *http.Request) time.Duration { return a.api.Spend(r, loginCost) },
		Now:        a.opts.Now, Rand: a.opts.Rand, Logger: a.log})
	return err
}

func (a *App) buildAPI(context.Context) error {
	cfg := a.opts.Config
	client, err := a.client()
	if err != nil {
		return err
	}
	logos, err := logosOf(cfg.Service)
	if err != nil {
		return err
	}
	api := httpapi.Config{PublicURL: cfg.Server.PublicURL, Proofing: a.proofing, Accounts: a.accounts, Vault: a.vault, Counter: a.counter, Logins: logins{a.idp}, SignOuts: a.idp,
		Site: httpapi.Site{Name: "Ipse", Version: a.opts.Version, Languages: []string{"en", "fr"}, Light: cfg.Face.Light, Counter: httpapi.Counter{Places: cfg.Counter.Places},
			Operator: httpapi.Operator(cfg.Operator)},
		OIDC: a.idp.Handler(), Relay: a.hub, Pages: web.Handler(), OnCamera: a.models.prepare,
		Ready: a.ready, Client: client, Now: a.opts.Now, Rand: a.opts.Rand, Log: a.log, Logos: logos, Observe: a.meters.request, Pace: a.opts.pace}
	if a.opts.demo != nil {
		a.opts.demo.change(&api, a)
	}
	if a.api, err = httpapi.New(api); err != nil {
		return err
	}
	a.addGauges()
	return nil
}

// loginCost is what a login that a service begins takes from its browser's
// allowance (docs/api.md).
const loginCost = 5

func (a *App) client() (func(*http.Request) fair.Client, error) {
	var proxies []netip.Prefix
	for _, text := range a.opts.Config.Server.TrustedProxies {
		p, err := config.Prefix(text)
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %w", err)
		}
		proxies = append(proxies, p)
	}
	return httpapi.Client(proxies), nil
}

func proofingPolicy(cfg config.Proofing) proofing.Policy {
	p := proofing.DefaultPolicy()
	p.MinimumLevel = proofing.Level(cfg.MinimumLevel)
	p.DocumentAttempts, p.FaceAttempts = cfg.DocumentAttempts, cfg.FaceAttempts
	p.DocumentFailures, p.DocumentFailuresFor = cfg.DocumentFailures, time.Duration(cfg.DocumentFailuresWindow)
	p.CameraFor = time.Duration(cfg.SessionLifetime)
	p.CounterFor = max(p.CounterFor, p.CameraFor)
	return p
}

// thumbprint names a key (RFC 7638).
func thumbprint(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("name a key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
