package app

import (
	"bytes"
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"ipse/internal/account"
	"ipse/internal/config"
	"ipse/internal/httpapi"
	"ipse/internal/idp"
	"ipse/internal/pii"
	"ipse/internal/vault"
)

// LoginBench measures logins at a service: authorization request, consent with
// the check of the presentation and the journal line, code exchange, userinfo.
// They go over HTTP on loopback through the provider and the store of a real
// App. The passkey is left out: its answer is checked before, once a session.
type LoginBench struct {
	app          *App
	server       *http.Server
	base         string
	account      string
	presentation string
	secret       string
}

const (
	benchClient   = "bench"
	benchRedirect = "http://localhost/callback"
	benchVerifier = "bench-verifier-of-the-length-that-RFC-7636-asks-for"
)

// NewLoginBench builds an App in the folder data, with one account and one
// service. Close it when done.
func NewLoginBench(ctx context.Context, data string, now func() time.Time, random io.Reader) (_ *LoginBench, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	b := &LoginBench{base: fmt.Sprintf("http://localhost:%d", port(listener)), secret: "a-secret-of-the-bench-with-enough-characters"}
	defer func() {
		if err != nil {
			err = errors.Join(err, listener.Close(), b.Close(ctx))
		}
	}()
	sum := sha256.Sum256([]byte(b.secret))
	cfg := config.Default()
	cfg.Server.PublicURL, cfg.Server.Data = b.base, data
	cfg.Operator = config.Operator{Name: "Bench", Contact: "bench@bench.example"}
	cfg.Service = []config.Service{{ID: benchClient, NameEN: "Bench", NameFR: "Bench", PurposeEN: "measure", PurposeFR: "mesurer",
		RedirectURIs: []string{benchRedirect}, Essential: []string{"family_name", "birthdate"}, SecretSHA256: hex.EncodeToString(sum[:])}}
	b.app, err = New(ctx, Options{Config: cfg, Version: "bench", Log: slog.New(slog.DiscardHandler), Now: now, Rand: random, pace: 1000})
	if err != nil {
		return nil, err
	}
	if err := b.enrol(ctx, now()); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /bench/{id}", b.consent)
	mux.Handle("/", b.app.Handler())
	b.server = &http.Server{Handler: mux, ReadHeaderTimeout: headerWithin}
	go func() { _ = b.server.Serve(listener) }()
	return b, nil
}

// enrol makes an account of ICAO's specimen person, without a passkey.
func (b *LoginBench) enrol(ctx context.Context, now time.Time) error {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return fmt.Errorf("bench: key: %w", err)
	}
	b.account = "bench-account-0000000A"
	err = b.app.store.CreateAccount(ctx, account.Account{ID: b.account, Handle: []byte("bench"), Suite: vault.Suite, PublicKey: key.PublicKey().Bytes(),
		Level: string(vault.High), CreatedOn: now.UTC().Format(time.DateOnly)}, nil)
	if err != nil {
		return fmt.Errorf("bench: account: %w", err)
	}
	claims, err := b.app.vault.Sign(b.account, vault.High, vault.Attributes{FamilyName: pii.NewText("ERIKSSON"), GivenName: pii.NewText("ANNA MARIA"),
		BirthDate: pii.NewText("1974-08-12"), VerifiedOn: now.UTC().Format(time.DateOnly)})
	if err != nil {
		return fmt.Errorf("bench: claims: %w", err)
	}
	b.presentation, err = disclose(string(claims.Reveal()), "family_name", "birthdate")
	return err
}

// disclose keeps the disclosures named, as the page does.
func disclose(combined string, names ...string) (string, error) {
	parts := strings.Split(combined, "~")
	out := parts[0] + "~"
	for _, d := range parts[1 : len(parts)-1] {
		raw, err := base64.RawURLEncoding.DecodeString(d)
		if err != nil {
			return "", errors.New("bench: a disclosure is not base64url")
		}
		for _, name := range names {
			if bytes.Contains(raw, []byte(`"`+name+`"`)) {
				out += d + "~"
			}
		}
	}
	return out, nil
}

// consent answers a login as the API does, with the passkey used just now.
func (b *LoginBench) consent(w http.ResponseWriter, r *http.Request) {
	to, err := logins{b.app.idp}.Consent(r, r.PathValue("id"), account.Session{Account: b.account, AuthTime: b.app.opts.Now()}, httpapi.LoginAnswer{Presentation: b.presentation})
	if err != nil {
		http.Error(w, "refused", http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, to)
}

// Run logs in n times from each of workers browsers and returns how long each
// login took.
func (b *LoginBench) Run(ctx context.Context, workers, n int) ([]time.Duration, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex // guards took and errs
	var took []time.Duration
	var errs []error
	for range workers {
		wg.Go(func() {
			jar, err := cookiejar.New(nil)
			client := &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			defer client.CloseIdleConnections()
			for i := 0; i < n && err == nil; i++ {
				began := time.Now()
				if err = b.login(ctx, client); err == nil {
					mu.Lock()
					took = append(took, time.Since(began))
					mu.Unlock()
				}
			}
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}

func (b *LoginBench) login(ctx context.Context, client *http.Client) error {
	challenge := sha256.Sum256([]byte(benchVerifier))
	query := url.Values{"client_id": {benchClient}, "redirect_uri": {benchRedirect}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"claims":         {`{"userinfo":{"family_name":{"essential":true},"birthdate":{"essential":true}}}`},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}
	page, _, err := b.call(ctx, client, http.MethodGet, idp.PathAuthorize+"?"+query.Encode(), nil, "")
	if err != nil {
		return err
	}
	_, back, err := b.call(ctx, client, http.MethodPost, "/bench/"+path.Base(page), nil, "")
	if err != nil {
		return err
	}
	answer, err := url.Parse(string(back))
	if err != nil {
		return fmt.Errorf("bench: answer: %w", err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {benchRedirect}, "code_verifier": {benchVerifier}}
	_, raw, err := b.call(ctx, client, http.MethodPost, idp.PathToken, form, "")
	if err != nil {
		return err
	}
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(raw, &tokens); err != nil {
		return fmt.Errorf("bench: tokens: %w", err)
	}
	_, raw, err = b.call(ctx, client, http.MethodGet, idp.PathUserInfo, nil, tokens.AccessToken)
	if err == nil && !bytes.Contains(raw, []byte("ERIKSSON")) {
		err = errors.New("bench: the service did not get what was agreed")
	}
	return err
}

// call sends one request and returns where it redirects to, and the body.
func (b *LoginBench) call(ctx context.Context, client *http.Client, method, address string, form url.Values, token string) (location string, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, b.base+address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(benchClient, b.secret)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(r)
	if err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return "", nil, fmt.Errorf("bench: %s answers %d", strings.SplitN(address, "?", 2)[0], res.StatusCode)
	}
	return res.Header.Get("Location"), body, nil
}

// Close takes the App apart.
func (b *LoginBench) Close(ctx context.Context) error {
	var errs []error
	if b.server != nil {
		errs = append(errs, b.server.Close())
	}
	if b.app != nil {
		errs = append(errs, b.app.Close(ctx))
	}
	return errors.Join(errs...)
}
