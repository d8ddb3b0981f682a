package account_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"path/filepath"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
	"ipse/internal/pii"
	"ipse/internal/store"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

const (
	rpID   = "ipse.example"
	origin = "https://ipse.example"
)

// world is a server's accounts with a clock to turn, and one person.
type world struct {
	t     testing.TB
	path  string
	now   time.Time
	store *store.DB
	vault *vault.Vault
	svc   *account.Service

	auth   *authtest.Authenticator
	key    *vaulttest.Key
	secret []byte // recovery code
	prf    []byte
}

func draw(t testing.TB, n int) []byte {
	t.Helper()
	out := make([]byte, n)
	if _, err := io.ReadFull(rand.Reader, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "ipse.db"), now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.vault, err = vault.New(vault.Config{ClaimsKey: key, Issuer: origin, Now: w.clock, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(func() { _ = w.store.Close() })
	w.auth = &authtest.Authenticator{Origin: origin, Rand: rand.Reader}
	if w.key, err = vaulttest.NewKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	w.secret = draw(t, 20)
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) config() account.Config {
	return account.Config{Store: w.store, Vault: w.vault, RPID: rpID, RPName: "Ipse", Origins: []string{origin}, Now: w.clock, Rand: rand.Reader}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.t.Context(), store.Config{Path: w.path}); err != nil {
		w.t.Fatal(err)
	}
	if w.svc, err = account.New(w.config()); err != nil {
		w.t.Fatal(err)
	}
}

// restart closes and reopens the store and the service.
func (w *world) restart() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) wrapFor(prf, credentialID []byte) account.Wrap {
	w.t.Helper()
	salt := draw(w.t, 32)
	wrapped, err := w.key.WrapForPasskey(prf, salt, draw(w.t, 12), credentialID)
	if err != nil {
		w.t.Fatal(err)
	}
	return account.Wrap{Salt: salt, Wrapped: wrapped}
}

func (w *world) recovery(secret []byte) account.NewRecovery {
	w.t.Helper()
	salt := draw(w.t, 32)
	wrapped, err := w.key.WrapForRecovery(secret, salt, draw(w.t, 12))
	if err != nil {
		w.t.Fatal(err)
	}
	auth, err := vaulttest.RecoveryAuth(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	return account.NewRecovery{Wrap: account.Wrap{Salt: salt, Wrapped: wrapped}, Auth: pii.NewBytes(auth)}
}

func (w *world) specimen() vault.Attributes {
	return vault.Attributes{FamilyName: pii.NewText("ERIKSSON"), GivenName: pii.NewText("ANNA MARIA"),
		BirthDate: pii.NewText("1974-08-12"), VerifiedOn: "2026-11-23"}
}

// passkey plays the browser: it answers creation options and wraps the key.
func (w *world) passkey(options []byte) account.NewPasskey {
	w.t.Helper()
	answer, err := w.auth.Create(options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.prf = answer.PRF
	prf := answer.PRF
	if prf == nil {
		prf = draw(w.t, 32)
	}
	return account.NewPasskey{Credential: answer.JSON, Name: "This computer", WrapFor: answer.CredentialID, Wrap: w.wrapFor(prf, answer.CredentialID)}
}

// newAccount begins a creation and prepares all that Create takes.
func (w *world) newAccount(binding string) account.NewAccount {
	w.t.Helper()
	options, err := w.svc.BeginCreate(w.t.Context(), binding)
	if err != nil {
		w.t.Fatal(err)
	}
	return account.NewAccount{Passkey: w.passkey(options), Recovery: w.recovery(w.secret), Suite: vault.Suite, PublicKey: w.key.Public,
		Level: "high", Seal: func(id string) ([]byte, error) {
			return w.vault.SealClaims(vault.Suite, w.key.Public, id, vault.High, w.specimen())
		}}
}

// create makes the person's account.
func (w *world) create() account.Opened {
	w.t.Helper()
	opened, err := w.svc.Create(w.t.Context(), "proofing-1", w.newAccount("proofing-1"))
	if err != nil {
		w.t.Fatal(err)
	}
	return opened
}

func (w *world) login(previous string) (account.Opened, error) {
	w.t.Helper()
	options, err := w.svc.BeginLogin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.auth.Get(options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.prf = answer.PRF
	return w.svc.Login(w.t.Context(), answer.JSON, previous)
}

func (w *world) mustLogin() account.Opened {
	w.t.Helper()
	opened, err := w.login("")
	if err != nil {
		w.t.Fatal(err)
	}
	return opened
}

func (w *world) state(session account.Session) account.State {
	w.t.Helper()
	state, err := w.svc.State(context.Background(), session)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}
