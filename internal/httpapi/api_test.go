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
	"ipse/internal/proofing"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

func TestTheWholePathToAnAccount(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	var v proofing.View
	b.refused("GET", "/api/proofing", nil, 404, "no_proofing")
	b.ok("POST", "/api/proofing", map[string]string{"route": "camera", "language": "fr"}, &v)
	if v.State != proofing.StateConsent || v.Consent == nil || v.Consent.Text.Language != "fr" {
		t.Fatalf("first view: %+v", v)
	}
	b.refused("POST", "/api/proofing/document", typed(), 403, "consent_required")
	b.refused("POST", "/api/proofing/consent", map[string]any{"consent_id": "another", "agreed": true}, 409, "consent_changed")
	b.refused("POST", "/api/proofing/consent", map[string]any{"consent_id": v.Consent.ID, "agreed": false}, 403, "consent_required")
	b.refused("GET", "/api/proofing/receipt", nil, 403, "consent_required")
	b.ok("POST", "/api/proofing/consent", map[string]any{"consent_id": v.Consent.ID, "agreed": true}, &v)
	if r := b.ok("GET", "/api/proofing/receipt", nil, nil); r.header.Get("Content-Type") != "application/jose+json" || !strings.Contains(string(r.body), "signature") {
		t.Errorf("receipt: %v %s", r.header, r.body)
	}
	b.refused("POST", "/api/proofing/document", typed(), 409, "reader_not_connected")
	b.refused("GET", "/api/proofing/attributes", nil, 409, "wrong_state")
	first := v.Document.PairingCode
	if b.ok("POST", "/api/proofing/reader", none{}, &v); v.Document.PairingCode == first || v.Document.PairingCode == "" {
		t.Errorf("the code did not change")
	}
	b.plug()
	b.refused("POST", "/api/proofing/document", map[string]any{"can": "12345"}, 422, "invalid_document")
	b.refused("POST", "/api/proofing/document", map[string]any{}, 400, "invalid_request")
	b.ok("POST", "/api/proofing/document", typed(), nil)
	v = b.until(func(v proofing.View) bool { return v.State == proofing.StateFace })
	var read struct{ Attributes map[string]any }
	b.ok("GET", "/api/proofing/attributes", nil, &read)
	if read.Attributes["family_name"] != "ERIKSSON" || read.Attributes["age_over_18"] != true || read.Attributes["birthdate"] != "1974-08-12" {
		t.Errorf("attributes: %v", read.Attributes)
	}
	b.refused("POST", "/api/proofing/account/options", none{}, 409, "wrong_state")
	if m := b.runFace(jpegFrame(1)); m["accepted"] != true {
		t.Fatalf("check: %v", m)
	}
	b.refused("GET", "/api/account", nil, 401, "signed_out")
	b.ok("POST", "/api/proofing/account", b.accountBody(), &v)
	if v.State != proofing.StateDone || v.Result == nil || v.Result.Level != proofing.LevelHigh {
		t.Errorf("at the end: %+v", v)
	}
	b.opensOwnData()
}

// opensOwnData reads the account and opens the claims, as the page does.
func (b *browser) opensOwnData() {
	b.s.t.Helper()
	var account struct {
		Vault struct {
			Wraps []struct{ Kind, CredentialID, Salt, Wrapped string }
		}
		Items    []struct{ ID, Kind, Sealed string }
		Passkeys []struct{ ID, Name string }
		Level    string
		Complete bool
	}
	r := b.ok("GET", "/api/account", nil, nil)
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(r.body), "credential_id", "CredentialID")), &account); err != nil {
		b.s.t.Fatal(err)
	}
	if len(account.Vault.Wraps) != 1 || account.Vault.Wraps[0].Kind != "passkey" || account.Level != "high" || !account.Complete || len(account.Items) != 1 {
		b.s.t.Fatalf("account: %s", r.body)
	}
	w := account.Vault.Wraps[0]
	key, err := vaulttest.UnwrapWithPasskey(b.prf, decode(b.s.t, w.Salt), decode(b.s.t, w.Wrapped), decode(b.s.t, w.CredentialID))
	if err != nil {
		b.s.t.Fatal(err)
	}
	claims, err := key.Open(vault.KindClaims, decode(b.s.t, account.Items[0].Sealed))
	if err != nil || strings.Count(string(claims), "~") < 9 {
		b.s.t.Fatalf("claims: %v", err)
	}
}

func TestASecondAccountCannotComeOfOneCheck(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser().accepted()
	body := b.accountBody()
	b.ok("POST", "/api/proofing/account", body, nil)
	b.refused("POST", "/api/proofing/account", body, 409, "wrong_state")
	b.refused("POST", "/api/proofing/account/options", none{}, 409, "wrong_state")
}

func TestAFailedCreationMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser().accepted()
	b.auth.Faults.NoPRF = true
	options := b.ok("POST", "/api/proofing/account/options", none{}, nil)
	answer, err := b.auth.Create(options.body)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"credential": json.RawMessage(answer.JSON), "passkey_name": "x", "vault": map[string]any{"suite": vault.Suite,
		"public_key": b64(b.key.Public), "wraps": []any{b.wrap(draw(t, 32), answer.CredentialID)}, "recovery": b.recoveryWrap()}}
	b.refused("POST", "/api/proofing/account", body, 422, "prf_unsupported")
	b.auth.Faults.NoPRF = false
	if v := b.view(); v.State != proofing.StateAccount {
		t.Fatalf("after the failure: %+v", v)
	}
	b.ok("POST", "/api/proofing/account", b.accountBody(), nil)
}

func TestAForeignSessionGetsNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	victim, thief := s.browser().accepted(), s.browser().accepted()
	body := victim.accountBody() // a challenge begun in another check
	thief.refused("POST", "/api/proofing/account", body, 401, "passkey_refused")
	victim.ok("POST", "/api/proofing/account", victim.accountBody(), nil)
	thief.refused("GET", "/api/account", nil, 401, "signed_out")
	thief.refused("DELETE", "/api/account", none{}, 401, "signed_out")
}

func TestSessionsOpenCloseAndRecover(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	b.ok("DELETE", "/api/session", none{}, nil)
	b.refused("GET", "/api/account", nil, 401, "signed_out")
	if r := b.signIn(); r.status != 204 {
		t.Fatalf("sign in: %d %s", r.status, r.body)
	}
	b.opensOwnData()
	options := b.ok("POST", "/api/session/options", none{}, nil)
	answer := must(b.auth.Get(options.body))
	once := map[string]any{"credential": json.RawMessage(answer.JSON)}
	b.ok("POST", "/api/session", once, nil)
	b.refused("POST", "/api/session", once, 401, "passkey_refused") // replayed
	b.ok("DELETE", "/api/session", none{}, nil)

	auth := b.recoveryWrap()["auth"]
	b.ok("POST", "/api/recovery", map[string]any{"auth": auth}, nil)
	r := b.ok("GET", "/api/account", nil, nil)
	if !strings.Contains(string(r.body), `"kind":"recovery"`) {
		t.Errorf("a recovery session sees no recovery wrap: %s", r.body)
	}
	b.refused("PUT", "/api/account/recovery", b.recoveryWrap(), 403, "passkey_needed")
	b.refused("DELETE", "/api/account", none{}, 403, "passkey_needed")
	b.auth = s.browser().auth // the lost device's successor
	answer = b.passkey(b.ok("POST", "/api/account/passkeys/options", none{}, nil))
	b.ok("POST", "/api/account/passkeys", map[string]any{"credential": json.RawMessage(answer.JSON), "wrap": b.wrap(answer.PRF, answer.CredentialID),
		"passkey_name": "New phone"}, nil)
	b.ok("PUT", "/api/account/recovery", b.recoveryWrap(), nil)
	b.refused("POST", "/api/recovery", map[string]any{"auth": b64(draw(t, 32))}, 401, "recovery_refused")
}

func TestPasskeysAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	var before struct{ Passkeys []struct{ ID string } }
	b.ok("GET", "/api/account", nil, &before)
	first := before.Passkeys[0].ID
	b.refused("DELETE", "/api/account/passkeys/"+first, none{}, 409, "last_passkey")
	b.auth = s.browser().auth // another device
	answer := b.passkey(b.ok("POST", "/api/account/passkeys/options", none{}, nil))
	b.ok("POST", "/api/account/passkeys", map[string]any{"credential": json.RawMessage(answer.JSON), "wrap": b.wrap(answer.PRF, answer.CredentialID),
		"passkey_name": "Phone"}, nil)
	b.ok("PUT", "/api/account/recovery", b.recoveryWrap(), nil)
	b.ok("DELETE", "/api/account/passkeys/"+first, none{}, nil)
	b.refused("DELETE", "/api/account/passkeys/"+first, none{}, 401, "passkey_refused")
	b.refused("DELETE", "/api/account/passkeys/not+base64url", none{}, 404, "not_found")
	s.add(6 * time.Minute)
	b.refused("DELETE", "/api/account", none{}, 403, "passkey_needed")
	if r := b.signIn(); r.status != 204 {
		t.Fatalf("sign in: %d %s", r.status, r.body)
	}
	b.ok("DELETE", "/api/account", none{}, nil)
	b.refused("GET", "/api/account", nil, 401, "signed_out")
	if r := b.signIn(); r.status != 401 || r.code() != "passkey_refused" {
		t.Errorf("an erased account opens: %d %s", r.status, r.body)
	}
}

func TestLoginsNeedAPasskeyUsedForThem(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.logins.started = s.clock()
	b := s.browser()
	b.refused("GET", "/api/login/unknown", nil, 404, "login_unknown")
	var login httpapi.Login
	b.ok("GET", "/api/login/one", nil, &login)
	if login.SignedIn || login.Service.Name.FR != "Impôts" {
		t.Errorf("%+v", login)
	}
	b.refused("POST", "/api/login/one/consent", map[string]string{"presentation": "x"}, 401, "signed_out")
	member := s.member()
	member.ok("GET", "/api/login/one", nil, &login)
	if !login.SignedIn {
		t.Error("the passkey was used after the login began, and the page is not told")
	}
	var to struct {
		RedirectTo string `json:"redirect_to"`
	}
	member.ok("POST", "/api/login/one/consent", map[string]string{"presentation": "jwt~"}, &to)
	if s.logins.got != "true true jwt~" || to.RedirectTo != "https://tax.example/back" {
		t.Errorf("the provider got %q, the page %q", s.logins.got, to.RedirectTo)
	}
	s.logins.err = loginError("login_level_too_low")
	member.refused("POST", "/api/login/one/consent", map[string]string{"presentation": "jwt~"}, 403, "level_too_low")
	b.ok("POST", "/api/login/one/refuse", none{}, &to)
	if !strings.Contains(to.RedirectTo, "access_denied") {
		t.Errorf("refusal leads to %q", to.RedirectTo)
	}
	s.logins.started = s.clock().Add(time.Hour)
	member.ok("GET", "/api/login/one", nil, &login)
	if login.SignedIn {
		t.Error("a passkey used before the login counts for it")
	}
}

func TestViewsAreStreamed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	b.start("camera")
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	req := must(http.NewRequestWithContext(ctx, "GET", s.url+"/api/proofing/events", nil))
	res := must(b.client.Do(req))
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
	b.ok("POST", "/api/proofing/abandon", none{}, nil)
	if v := next(); v.State != proofing.StateAbandoned {
		t.Errorf("last: %+v", v)
	}
	s.api.Close()
	if lines.Scan(); lines.Err() != nil {
		t.Errorf("the server's stop cuts the stream: %v", lines.Err())
	}
	b.refused("POST", "/api/proofing/reader", none{}, 409, "wrong_state")
}
