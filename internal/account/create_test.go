package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
	"ipse/internal/pii"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

func TestFromCreationToOpeningTheVaultAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.create()
	w.restart()
	opened := w.mustLogin()
	if opened.Session.Account != created.Session.Account || opened.Token == created.Token {
		t.Fatal("another account or the same token")
	}
	state := w.state(opened.Session)
	a := state.Account
	if !state.Complete || len(a.Passkeys) != 1 || a.Recovery == nil || a.Level != "high" || a.CreatedOn != "2026-11-23" || len(state.Items) != 1 {
		t.Fatalf("state: complete %v, %d passkeys, %d items", state.Complete, len(a.Passkeys), len(state.Items))
	}
	key, err := vaulttest.UnwrapWithPasskey(w.prf, a.Passkeys[0].Wrap.Salt, a.Passkeys[0].Wrap.Wrapped, a.Passkeys[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := key.Open(vault.KindClaims, state.Items[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := w.vault.Verify(string(plain), a.ID, vault.Names())
	if err != nil || claims.Reveal()["family_name"] != "ERIKSSON" {
		t.Errorf("claims: %v", err)
	}
	byCode, err := vaulttest.UnwrapWithRecovery(w.secret, a.Recovery.Wrap.Salt, a.Recovery.Wrap.Wrapped)
	if err != nil || !bytes.Equal(byCode.Public, key.Public) {
		t.Errorf("recovery code: %v", err)
	}
}

func TestCreationOptionsAskForWhatTheVaultNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw, err := w.svc.BeginCreate(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		PublicKey struct {
			RP          struct{ ID, Name string }
			User        struct{ ID, Name, DisplayName string }
			Challenge   string
			Attestation string
			Timeout     int
			Selection   struct {
				ResidentKey, UserVerification string
				RequireResidentKey            bool
			} `json:"authenticatorSelection"`
			Extensions struct {
				PRF struct {
					Eval struct{ First string }
				}
				CredProps bool
			}
		}
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	p := o.PublicKey
	if p.RP.ID != rpID || p.Selection.ResidentKey != "required" || !p.Selection.RequireResidentKey || p.Selection.UserVerification != "required" ||
		p.Attestation != "none" || p.Timeout != 300000 || !p.Extensions.CredProps {
		t.Errorf("options: %s", raw)
	}
	// SHA-256("ipse/vault/prf/v1"), as the browser computes it too.
	if got := p.Extensions.PRF.Eval.First; got != "PWyquz5qbjTryee6UbOwvwO8St9uS56AOH51UidFyis" {
		t.Errorf("PRF input %s", got)
	}
	if len(p.Challenge) < 43 || len(p.User.ID) != 43 || !strings.HasPrefix(p.User.Name, "Ipse ") {
		t.Errorf("challenge or user: %s", raw)
	}
}

func TestCreateRefusesFaultyAuthenticators(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults authtest.Faults
		want   error
	}{
		"no user verification":  {authtest.Faults{NoUserVerification: true}, account.ErrCredential},
		"no user presence":      {authtest.Faults{NoUserPresence: true}, account.ErrCredential},
		"another origin":        {authtest.Faults{Origin: "https://evil.example"}, account.ErrCredential},
		"another relying party": {authtest.Faults{RPID: "evil.example"}, account.ErrCredential},
		"another ceremony":      {authtest.Faults{Type: "webauthn.get"}, account.ErrCredential},
		"another challenge":     {authtest.Faults{Challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, account.ErrChallengeExpired},
		"no PRF":                {authtest.Faults{NoPRF: true}, account.ErrNoPRF},
		"PRF output sent":       {authtest.Faults{SendPRF: true}, account.ErrSecretSent},
		"not discoverable":      {authtest.Faults{NotDiscoverable: true}, account.ErrCredential},
		"unsolicited extension": {authtest.Faults{Extra: "uvm"}, account.ErrCredential},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.auth.Faults = c.faults
			if _, err := w.svc.Create(t.Context(), "p", w.newAccount("p")); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
			w.auth.Faults = authtest.Faults{}
			if _, err := w.login(""); !errors.Is(err, account.ErrUnknownPasskey) {
				t.Errorf("half an account persists: %v", err)
			}
		})
	}
}

func TestCreateRefusesUnusableVaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*account.NewAccount)
		want   error
	}{
		"suite":               {func(n *account.NewAccount) { n.Suite = "X" }, account.ErrVault},
		"public key":          {func(n *account.NewAccount) { n.PublicKey = n.PublicKey[1:] }, account.ErrVault},
		"wrap":                {func(n *account.NewAccount) { n.Passkey.Wrap.Wrapped = nil }, account.ErrVault},
		"wrap for another":    {func(n *account.NewAccount) { n.Passkey.WrapFor = []byte("other") }, account.ErrVault},
		"recovery wrap":       {func(n *account.NewAccount) { n.Recovery.Wrap.Salt = nil }, account.ErrVault},
		"recovery auth":       {func(n *account.NewAccount) { n.Recovery.Auth = pii.NewBytes([]byte("short")) }, account.ErrVault},
		"recovery auth zero":  {func(n *account.NewAccount) { n.Recovery.Auth = pii.NewBytes(make([]byte, 32)) }, account.ErrVault},
		"no name":             {func(n *account.NewAccount) { n.Passkey.Name = " " }, account.ErrName},
		"long name":           {func(n *account.NewAccount) { n.Passkey.Name = strings.Repeat("é", 65) }, account.ErrName},
		"name with a control": {func(n *account.NewAccount) { n.Passkey.Name = "a\x1b[2J" }, account.ErrName},
		"no level":            {func(n *account.NewAccount) { n.Level = "" }, account.ErrVault},
		"nothing to seal":     {func(n *account.NewAccount) { n.Seal = nil }, account.ErrVault},
		"sealing fails":       {func(n *account.NewAccount) { n.Seal = func(string) ([]byte, error) { return nil, vault.ErrAttributes } }, vault.ErrAttributes},
		"not JSON":            {func(n *account.NewAccount) { n.Passkey.Credential = []byte("{") }, account.ErrCredential},
		"too long":            {func(n *account.NewAccount) { n.Passkey.Credential = bytes.Repeat([]byte(" "), 65<<10) }, account.ErrCredential},
		"an assertion instead": {func(n *account.NewAccount) {
			n.Passkey.Credential = []byte(`{"id":"AA","rawId":"AA","type":"public-key"}`)
		}, account.ErrCredential},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			n := w.newAccount("p")
			good := n
			c.change(&n)
			if _, err := w.svc.Create(t.Context(), "p", n); !errors.Is(err, c.want) {
				t.Fatalf("err = %v, want %v", err, c.want)
			}
			// The same ceremony still serves: nothing was spent, nothing persisted.
			if _, err := w.svc.Create(t.Context(), "p", good); err != nil {
				t.Errorf("after correction: %v", err)
			}
		})
	}
}

func TestACreationCeremonyServesOnceItsOwnerInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.newAccount("p")
	if _, err := w.svc.Create(t.Context(), "another proofing", n); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("another's ceremony: %v", err)
	}
	if _, err := w.svc.Create(t.Context(), "p", n); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Create(t.Context(), "p", n); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("replayed: %v", err)
	}
	late := w.newAccount("p")
	w.now = w.now.Add(5 * time.Minute)
	if _, err := w.svc.Create(t.Context(), "p", late); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("late: %v", err)
	}
}

func TestCreationEndsWithTheTransactionAroundIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.newAccount("p")
	broken := errors.New("the proofing session could not be ended")
	err := w.store.Atomically(t.Context(), func(ctx context.Context) error {
		if _, err := w.svc.Create(ctx, "p", n); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := w.login(""); !errors.Is(err, account.ErrUnknownPasskey) {
		t.Errorf("an account without its proofing persists: %v", err)
	}
	err = w.store.Atomically(t.Context(), func(ctx context.Context) error {
		_, err := w.svc.Create(ctx, "p", n)
		return err
	})
	if err != nil {
		t.Errorf("again: %v", err)
	}
	w.mustLogin()
}

func TestOnePasskeyOpensOneAccountOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.newAccount("p")
	if _, err := w.svc.Create(t.Context(), "p", n); err != nil {
		t.Fatal(err)
	}
	a, err := w.store.AccountByPasskey(t.Context(), n.Passkey.WrapFor)
	if err != nil {
		t.Fatal(err)
	}
	copied := a
	copied.ID, copied.Handle, copied.Recovery = "other", []byte("other handle"), nil
	if err := w.store.CreateAccount(t.Context(), copied, nil); !errors.Is(err, account.ErrPasskeyExists) {
		t.Errorf("err = %v", err)
	}
	if _, err := w.store.Account(t.Context(), "other"); !errors.Is(err, account.ErrNoAccount) {
		t.Errorf("half of it persists: %v", err)
	}
}

func TestNewRefusesHalfAConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*account.Config){
		"store": func(c *account.Config) { c.Store = nil }, "vault": func(c *account.Config) { c.Vault = nil },
		"rp": func(c *account.Config) { c.RPID = "" }, "name": func(c *account.Config) { c.RPName = "" },
		"origins": func(c *account.Config) { c.Origins = nil }, "clock": func(c *account.Config) { c.Now = nil },
		"random": func(c *account.Config) { c.Rand = nil }, "negative": func(c *account.Config) { c.SessionMax = -1 },
		"journal": func(c *account.Config) { c.JournalKept = -1 }, "rp with scheme": func(c *account.Config) { c.RPID = "https://ipse.example" },
	} {
		cfg := w.config()
		change(&cfg)
		if _, err := account.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
