package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"ipse/internal/config"
	"ipse/mrtd/trust"
)

// errTrustsNobody keeps a server that trusts some authority from losing all of them
// to an empty folder or a list that was cut short.
var errTrustsNobody = errors.New("the new lists hold no authority")

// trustLists are the lists in force and the files they came from.
type trustLists struct {
	cfg  config.Trust
	live *trust.Live
	log  *slog.Logger

	mu   sync.Mutex // guards seen, and lets one reload run at a time
	seen string     // the files at the last attempt
}

// newTrustLists loads the lists of cfg. A server does not start on lists that fail.
func newTrustLists(cfg config.Trust, log *slog.Logger) (*trustLists, error) {
	t := &trustLists{cfg: cfg, live: trust.NewLive(nil), log: log}
	t.seen = t.files()
	store, err := t.load()
	if err != nil {
		return nil, err
	}
	if store.Len() == 0 {
		log.Warn("no issuer is trusted: every document will be refused")
	}
	t.live.Swap(store)
	return t, nil
}

func (t *trustLists) load() (*trust.Store, error) {
	store, reports, err := LoadTrust(t.cfg, false)
	if err != nil {
		return nil, err
	}
	for _, r := range reports {
		t.log.Info("trust source", "name", r.Name, "form", r.Form, "loaded", r.Loaded, "refused", len(r.Refused), "lists", r.CRLs)
	}
	return store, nil
}

// reload puts the files' present content in force. Where that fails, the store in
// force stays. Checks under way keep the store they began with.
func (t *trustLists) reload(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reloadAs(ctx, t.files())
}

// refresh reloads when a file was changed, added or removed since the last attempt.
func (t *trustLists) refresh(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if files := t.files(); files != t.seen {
		return t.reloadAs(ctx, files)
	}
	return nil
}

func (t *trustLists) reloadAs(ctx context.Context, files string) error {
	t.seen = files // what fails is not tried again until it changes
	old := t.live.Get()
	store, err := t.load()
	if err == nil && store.Len() == 0 && old.Len() > 0 {
		err = errTrustsNobody
	}
	if err != nil {
		return fmt.Errorf("trust lists not reloaded, the old ones stay in force: %w", err)
	}
	t.live.Swap(store)
	t.log.InfoContext(ctx, "trust lists reloaded", "authorities", store.Len(), "before", old.Len(), "signers", len(store.Signers()),
		"revocation_lists", store.CRLCount(), "digest", store.Digest())
	return nil
}

// files describes the files of the configuration by name, size and time of change;
// one that cannot be looked at is described by that.
func (t *trustLists) files() string {
	var b strings.Builder
	describe := func(name string) {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintf(&b, "%q missing\n", name)
			return
		}
		fmt.Fprintf(&b, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
	}
	for _, source := range t.cfg.Sources {
		names, err := trustFilesOf(source)
		if err != nil {
			names = []string{source}
		}
		for _, name := range names {
			describe(name)
		}
	}
	for _, name := range t.cfg.Roots {
		describe(name)
	}
	return b.String()
}
