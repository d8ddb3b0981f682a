package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ipse/internal/httpapi"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
	"ipse/internal/vault"
)

func TestTheWholePathToAnAccount(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	var v proofing.View
	b.Refused("GET", "/api/proofing", nil, 404, "no_proofing")
	b.OK("POST", "/api/proofing", map[string]string{"route": "camera", "language": "fr"}, &v)
	if v.State != proofing.StateConsent || v.Consent == nil || v.Consent.Text.Language != "fr" {
		t.Fatalf("first view: %+v", v)
	}
	b.Refused("POST", "/api/proofing/document", typed(), 403, "consent_required")
	b.Refused("POST", "/api/proofing/consent", map[string]any{"consent_id": "another", "agreed": true}, 409, "consent_changed")
	b.Refused("POST", "/api/proofing/consent", map[string]any{"consent_id": v.Consent.ID, "agreed": false}, 403, "consent_required")
	b.Refused("GET", "/api/proofing/receipt", nil, 403, "consent_required")
	b.OK("POST", "/api/proofing/consent", map[string]any{"consent_id": v.Consent.ID, "agreed": true}, &v)
	if r := b.OK("GET", "/api/proofing/receipt", nil, nil); r.Header.Get("Content-Type") != "application/jose+json" || !strings.Contains(string(r.Body), "signature") {
		t.Errorf("receipt: %v %s", r.Header, r.Body)
	}
	b.Refused("POST", "/api/proofing/document", typed(), 409, "reader_not_connected")
	b.Refused("GET", "/api/proofing/attributes", nil, 409, "wrong_state")
	first := v.Document.PairingCode
	if b.OK("POST", "/api/proofing/reader", apitest.None{}, &v); v.Document.PairingCode == first || v.Document.PairingCode == "" {
		t.Errorf("the code did not change")
	}
	b.plug()
	b.Refused("POST", "/api/proofing/document", map[string]any{"can": "12345"}, 422, "invalid_document")
	b.Refused("POST", "/api/proofing/document", map[string]any{}, 400, "invalid_request")
	b.OK("POST", "/api/proofing/document", typed(), nil)
	v = b.Until(func(v proofing.View) bool { return v.State == proofing.StateFace })
	var read struct{ Attributes map[string]any }
	b.OK("GET", "/api/proofing/attributes", nil, &read)
	if read.Attributes["family_name"] != "ERIKSSON" || read.Attributes["age_over_18"] != true || read.Attributes["birthdate"] != "1974-08-12" {
		t.Errorf("attributes: %v", read.Attributes)
	}
	b.Refused("POST", "/api/proofing/account/options", apitest.None{}, 409, "wrong_state")
	if m := b.runFace(jpegFrame(1)); m["accepted"] != true {
		t.Fatalf("check: %v", m)
	}
	b.Refused("GET", "/api/account", nil, 401, "signed_out")
	b.OK("POST", "/api/proofing/account", b.AccountBody(), &v)
	if v.State != proofing.StateDone || v.Result == nil || v.Result.Level != proofing.LevelHigh {
		t.Errorf("at the end: %+v", v)
	}
	b.opensOwnData()
}

// opensOwnData reads the account and opens the claims, as the page does.
func (b *browser) opensOwnData() {
	b.s.t.Helper()
	account, claims, _ := b.Open()
	if len(account.Vault.Wraps) != 1 || account.Level != "high" || !account.Complete || strings.Count(claims, "~") < 9 {
		b.s.t.Errorf("account: %+v", account)
	}
}

func TestASecondAccountCannotComeOfOneCheck(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser().accepted()
	body := b.AccountBody()
	b.OK("POST", "/api/proofing/account", body, nil)
	b.Refused("POST", "/api/proofing/account", body, 409, "wrong_state")
	b.Refused("POST", "/api/proofing/account/options", apitest.None{}, 409, "wrong_state")
}

func TestAFailedCreationMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser().accepted()
	b.Auth.Faults.NoPRF = true
	options := b.OK("POST", "/api/proofing/account/options", apitest.None{}, nil)
	answer, err := b.Auth.Create(options.Body)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"credential": json.RawMessage(answer.JSON), "passkey_name": "x", "vault": map[string]any{"suite": vault.Suite,
		"public_key": apitest.B64(b.Key.Public), "wraps": []any{b.Wrap(apitest.Draw(32), answer.CredentialID)}, "recovery": b.RecoveryWrap()}}
	b.Refused("POST", "/api/proofing/account", body, 422, "prf_unsupported")
	b.Auth.Faults.NoPRF = false
	if v := b.View(); v.State != proofing.StateAccount {
		t.Fatalf("after the failure: %+v", v)
	}
	b.OK("POST", "/api/proofing/account", b.AccountBody(), nil)
}

func TestAForeignSessionGetsNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	victim, thief := s.browser().accepted(), s.browser().accepted()
	body := victim.AccountBody() // a challenge begun in another check
	thief.Refused("POST", "/api/proofing/account", body, 401, "passkey_refused")
	victim.OK("POST", "/api/proofing/account", victim.AccountBody(), nil)
	thief.Refused("GET", "/api/account", nil, 401, "signed_out")
	thief.Refused("DELETE", "/api/account", apitest.None{}, 401, "signed_out")
}

func TestSessionsOpenCloseAndRecover(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	b.OK("DELETE", "/api/session", apitest.None{}, nil)
	b.Refused("GET", "/api/account", nil, 401, "signed_out")
	if r := b.SignIn(); r.Status != 204 {
		t.Fatalf("sign in: %d %s", r.Status, r.Body)
	}
	b.opensOwnData()
	options := b.OK("POST", "/api/session/options", apitest.None{}, nil)
	answer := apitest.Must(b.Auth.Get(options.Body))
	once := map[string]any{"credential": json.RawMessage(answer.JSON)}
	b.OK("POST", "/api/session", once, nil)
	b.Refused("POST", "/api/session", once, 401, "passkey_refused") // replayed
	b.OK("DELETE", "/api/session", apitest.None{}, nil)

	auth := b.RecoveryWrap()["auth"]
	b.OK("POST", "/api/recovery", map[string]any{"auth": auth}, nil)
	r := b.OK("GET", "/api/account", nil, nil)
	if !strings.Contains(string(r.Body), `"kind":"recovery"`) {
		t.Errorf("a recovery session sees no recovery wrap: %s", r.Body)
	}
	b.Refused("PUT", "/api/account/recovery", b.RecoveryWrap(), 403, "passkey_needed")
	b.Refused("DELETE", "/api/account", apitest.None{}, 403, "passkey_needed")
	b.Auth = s.browser().Auth // the lost device's successor
	answer = b.Passkey(b.OK("POST", "/api/account/passkeys/options", apitest.None{}, nil))
	b.OK("POST", "/api/account/passkeys", map[string]any{"credential": json.RawMessage(answer.JSON), "wrap": b.Wrap(answer.PRF, answer.CredentialID),
		"passkey_name": "New phone"}, nil)
	b.OK("PUT", "/api/account/recovery", b.RecoveryWrap(), nil)
	b.Refused("POST", "/api/recovery", map[string]any{"auth": apitest.B64(apitest.Draw(32))}, 401, "recovery_refused")
}

func TestPasskeysAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	var before struct{ Passkeys []struct{ ID string } }
	b.OK("GET", "/api/account", nil, &before)
	first := before.Passkeys[0].ID
	b.Refused("DELETE", "/api/account/passkeys/"+first, apitest.None{}, 409, "last_passkey")
	b.Auth = s.browser().Auth // another device
	answer := b.Passkey(b.OK("POST", "/api/account/passkeys/options", apitest.None{}, nil))
	b.OK("POST", "/api/account/passkeys", map[string]any{"credential": json.RawMessage(answer.JSON), "wrap": b.Wrap(answer.PRF, answer.CredentialID),
		"passkey_name": "Phone"}, nil)
	b.OK("PUT", "/api/account/recovery", b.RecoveryWrap(), nil)
	b.OK("DELETE", "/api/account/passkeys/"+first, apitest.None{}, nil)
	b.Refused("DELETE", "/api/account/passkeys/"+first, apitest.None{}, 401, "passkey_refused")
	b.Refused("DELETE", "/api/account/passkeys/not+base64url", apitest.None{}, 404, "not_found")
	s.add(6 * time.Minute)
	b.Refused("DELETE", "/api/account", apitest.None{}, 403, "passkey_needed")
	if r := b.SignIn(); r.Status != 204 {
		t.Fatalf("sign in: %d %s", r.Status, r.Body)
	}
	b.OK("DELETE", "/api/account", apitest.None{}, nil)
	b.Refused("GET", "/api/account", nil, 401, "signed_out")
	if r := b.SignIn(); r.Status != 401 || r.Code() != "passkey_refused" {
		t.Errorf("an erased account opens: %d %s", r.Status, r.Body)
	}
}

func TestLoginsNeedAPasskeyUsedForThem(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.logins.started = s.clock()
	b := s.browser()
	b.Refused("GET", "/api/login/unknown", nil, 404, "login_unknown")
	var login httpapi.Login
	b.OK("GET", "/api/login/one", nil, &login)
	if login.SignedIn || login.Service.Name.FR != "Impôts" {
		t.Errorf("%+v", login)
	}
	b.Refused("POST", "/api/login/one/consent", map[string]string{"presentation": "x"}, 401, "signed_out")
	member := s.member()
	member.OK("GET", "/api/login/one", nil, &login)
	if !login.SignedIn {
		t.Error("the passkey was used after the login began, and the page is not told")
	}
	var to struct {
		RedirectTo string `json:"redirect_to"`
	}
	member.OK("POST", "/api/login/one/consent", map[string]any{"presentation": "jwt~", "remember": true}, &to)
	if s.logins.got != "true true jwt~" || !s.logins.remember || to.RedirectTo != "https://tax.example/back" {
		t.Errorf("the provider got %q, the page %q", s.logins.got, to.RedirectTo)
	}
	s.logins.err = loginError("login_level_too_low")
	member.Refused("POST", "/api/login/one/consent", map[string]string{"presentation": "jwt~"}, 403, "level_too_low")
	b.OK("POST", "/api/login/one/refuse", apitest.None{}, &to)
	if !strings.Contains(to.RedirectTo, "access_denied") {
		t.Errorf("refusal leads to %q", to.RedirectTo)
	}
	recovered := s.browser()
	recovered.Headers.Set("Cookie", "__Host-ipse_session="+member.recoveredElsewhere())
	recovered.Refused("POST", "/api/login/one/consent", map[string]string{"presentation": "jwt~"}, 403, "passkey_needed")
	s.logins.started = s.clock().Add(time.Hour)
	member.OK("GET", "/api/login/one", nil, &login)
	if login.SignedIn {
		t.Error("a passkey used before the login counts for it")
	}
}

func TestViewsAreStreamed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	b.Start("camera")
	ctx, cancel := context.WithTimeout(t.Context(), apitest.Patience)
	defer cancel()
	req := apitest.Must(http.NewRequestWithContext(ctx, "GET", s.url+"/api/proofing/events", nil))
	res := apitest.Must(b.Client.Do(req))
	defer func() { _ = res.Body.Close() }()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	next := func() (v proofing.View) {
		t.Helper()
		event := ""
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event == "view" {
				if err := json.Unmarshal([]byte(data), &v); err != nil {
					t.Fatal(err)
				}
				return v
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return v
	}
	if v := next(); v.State != proofing.StateDocument || v.Document.ReaderConnected {
		t.Errorf("first: %+v", v)
	}
	b.plug()
	if v := next(); !v.Document.ReaderConnected {
		t.Errorf("second: %+v", v.Document)
	}
	b.OK("POST", "/api/proofing/abandon", apitest.None{}, nil)
	if v := next(); v.State != proofing.StateAbandoned {
		t.Errorf("last: %+v", v)
	}
	s.api.Close()
	if lines.Scan(); lines.Err() != nil {
		t.Errorf("the server's stop cuts the stream: %v", lines.Err())
	}
	b.Refused("POST", "/api/proofing/reader", apitest.None{}, 409, "wrong_state")
}

// TestEndsOfSessionsAreHeardOf, each way in which one can end.
func TestEndsOfSessionsAreHeardOf(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	heard := func() []string {
		s.logins.mu.Lock()
		defer s.logins.mu.Unlock()
		last := []string{"nothing"}
		if n := len(s.logins.heard); n > 0 {
			last = s.logins.heard[n-1]
		}
		s.logins.heard = nil
		return last
	}
	heard()
	if r := b.SignIn(); r.Status != 204 {
		t.Fatal(r.Status)
	}
	if h := heard(); h[0] != "moved" || h[1] == h[2] || h[1] == "" || h[3] == "" {
		t.Errorf("a further use of the passkey: %v", h)
	}
	b.Auth = s.browser().Auth // a second passkey, so that one may go
	answer := b.Passkey(b.OK("POST", "/api/account/passkeys/options", apitest.None{}, nil))
	b.OK("POST", "/api/account/passkeys", map[string]any{"credential": json.RawMessage(answer.JSON), "wrap": b.Wrap(answer.PRF, answer.CredentialID),
		"passkey_name": "Phone"}, nil)
	if h := heard(); h[0] != "nothing" {
		t.Errorf("a passkey was added: %v", h)
	}
	var view struct{ Passkeys []struct{ ID, Name string } }
	b.OK("GET", "/api/account", nil, &view)
	for _, p := range view.Passkeys {
		if p.Name != "Phone" {
			b.OK("DELETE", "/api/account/passkeys/"+p.ID, apitest.None{}, nil)
		}
	}
	if h := heard(); h[0] != "signed out everywhere" || h[2] == "" {
		t.Errorf("a passkey was removed: %v", h)
	}
	b.OK("DELETE", "/api/sessions", apitest.None{}, nil)
	if h := heard(); h[0] != "signed out everywhere" || h[2] != "" {
		t.Errorf("signed out everywhere: %v", h)
	}
	b.Refused("GET", "/api/account", nil, 401, "signed_out")
	if r := b.SignIn(); r.Status != 204 {
		t.Fatal(r.Status)
	}
	b.OK("DELETE", "/api/session", apitest.None{}, nil)
	if h := heard(); h[0] != "signed out" || h[1] == "" {
		t.Errorf("signed out: %v", h)
	}
	b.Refused("DELETE", "/api/sessions", apitest.None{}, 401, "signed_out")
	if r := b.SignIn(); r.Status != 204 {
		t.Fatal(r.Status)
	}
	heard()
	b.OK("DELETE", "/api/account", apitest.None{}, nil)
	if h := heard(); h[0] != "signed out everywhere" || h[2] != "" {
		t.Errorf("erased: %v", h)
	}
}

// recoveredElsewhere opens a session with the person's recovery code in another browser
// and returns its token.
func (b *browser) recoveredElsewhere() string {
	b.s.t.Helper()
	other := b.s.browser()
	other.OK("POST", "/api/recovery", map[string]any{"auth": b.RecoveryWrap()["auth"]}, nil)
	return other.Cookie("ipse_session")
}
