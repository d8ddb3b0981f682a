package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
)

func TestLoginRefusesFaultyAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults authtest.Faults
		want   error
	}{
		"no user verification":  {authtest.Faults{NoUserVerification: true}, account.ErrCredential},
		"no user presence":      {authtest.Faults{NoUserPresence: true}, account.ErrCredential},
		"another origin":        {authtest.Faults{Origin: "https://evil.example"}, account.ErrCredential},
		"another relying party": {authtest.Faults{RPID: "evil.example"}, account.ErrCredential},
		"another ceremony":      {authtest.Faults{Type: "webauthn.create"}, account.ErrCredential},
		"another challenge":     {authtest.Faults{Challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, account.ErrChallengeExpired},
		"a bad signature":       {authtest.Faults{BadSignature: true}, account.ErrCredential},
		"another handle":        {authtest.Faults{OtherHandle: true}, account.ErrCredential},
		"backup flag changed":   {authtest.Faults{FlipBackup: true}, account.ErrCredential},
		"PRF output sent":       {authtest.Faults{SendPRF: true}, account.ErrSecretSent},
		"unsolicited extension": {authtest.Faults{Extra: "uvm"}, account.ErrCredential},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create()
			w.auth.Faults = c.faults
			if _, err := w.login(""); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
			w.auth.Faults = authtest.Faults{}
			w.mustLogin() // no harm done
		})
	}
}

func TestALoginChallengeServesOnceWhateverComesOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	options, err := w.svc.BeginLogin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.auth.Faults.BadSignature = true
	bad, err := w.auth.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	w.auth.Faults.BadSignature = false
	good, err := w.auth.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Login(t.Context(), bad.JSON, ""); !errors.Is(err, account.ErrCredential) {
		t.Errorf("bad: %v", err)
	}
	if _, err := w.svc.Login(t.Context(), good.JSON, ""); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("good, with a spent challenge: %v", err)
	}
	for _, malformed := range []string{"", "{}", "null", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		if _, err := w.svc.Login(t.Context(), []byte(malformed), ""); !errors.Is(err, account.ErrCredential) {
			t.Errorf("%q: %v", malformed, err)
		}
	}
}

func TestOneAnswerOpensOneSessionUnderConcurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	options, err := w.svc.BeginLogin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.auth.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	opened := 0
	for range 8 {
		group.Go(func() {
			if _, err := w.svc.Login(t.Context(), answer.JSON, ""); err == nil {
				mu.Lock()
				opened++
				mu.Unlock()
			} else if !errors.Is(err, account.ErrChallengeExpired) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if opened != 1 {
		t.Errorf("%d sessions", opened)
	}
}

func TestALoginExpiresAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	for after, want := range map[time.Duration]error{4*time.Minute + 59*time.Second: nil, 5 * time.Minute: account.ErrChallengeExpired} {
		options, err := w.svc.BeginLogin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answer, err := w.auth.Get(options)
		if err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.now = w.now.Add(after)
		if _, err := w.svc.Login(t.Context(), answer.JSON, ""); !errors.Is(err, want) {
			t.Errorf("after %v: %v", after, err)
		}
	}
}

func TestACopiedPasskeyIsNoticedByItsCounter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.auth.Counter = true
	w.create()
	w.mustLogin()
	w.mustLogin()
	w.auth.Rewind()
	if _, err := w.login(""); !errors.Is(err, account.ErrSignCounter) {
		t.Errorf("err = %v", err)
	}
}

func TestASyncedPasskeyIsNotHeldToItsCounter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.auth.Counter, w.auth.Synced = true, true
	opened := w.create()
	if p := w.state(opened.Session).Account.Passkeys[0]; !p.BackupEligible || !p.BackupState {
		t.Error("backup flags not recorded")
	}
	w.mustLogin()
	w.auth.Rewind()
	w.mustLogin()
}

func TestSessionsEndWhenIdleAndInAnyCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.create().Token.Reveal()
	start := w.now
	for w.now = start; w.now.Sub(start) < 12*time.Hour; w.now = w.now.Add(20 * time.Minute) {
		if _, err := w.svc.Session(t.Context(), token); err != nil {
			t.Fatalf("after %v: %v", w.now.Sub(start), err)
		}
	}
	if _, err := w.svc.Session(t.Context(), token); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("past its end: %v", err)
	}
	token = w.mustLogin().Token.Reveal()
	w.now = w.now.Add(30 * time.Minute)
	if _, err := w.svc.Session(t.Context(), token); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("idle: %v", err)
	}
	if removed, err := w.svc.Sweep(t.Context()); err != nil || removed != 2 {
		t.Errorf("swept %d, %v", removed, err)
	}
	for _, unknown := range []string{"", "unknown"} {
		if _, err := w.svc.Session(t.Context(), unknown); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

func TestLogoutEndsAndLoginReplacesTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.create().Token.Reveal()
	second, err := w.login(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Session(t.Context(), first); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("the former session lives: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	session, err := w.svc.Session(t.Context(), second.Token.Reveal())
	if err != nil || !session.AuthTime.Equal(second.Session.AuthTime) {
		t.Errorf("session: %v", err)
	}
	for range 2 {
		if err := w.svc.Logout(t.Context(), second.Token.Reveal()); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.svc.Session(t.Context(), second.Token.Reveal()); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("after logout: %v", err)
	}
	if out := fmt.Sprintf("%v %+v", second, second); strings.Contains(out, second.Token.Reveal()) {
		t.Error("the token prints")
	}
}
