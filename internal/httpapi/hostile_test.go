package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"ipse/internal/httpapi"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/pii"
)

// stalled is a body that its client stops sending, as net/http reports it.
type stalled struct{}

func (stalled) Read([]byte) (int, error) {
	client := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 50123}
	return 0, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Addr: client, Err: os.ErrDeadlineExceeded}
}

func TestTheLogDoesNotNameAClientThatStalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	r := httptest.NewRequest(http.MethodPost, "/api/session/options", io.NopCloser(stalled{}))
	r.Header.Set("Origin", s.url)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("answered %d", w.Code)
	}
	if log := s.log.String(); strings.Contains(log, "203.0.113.7") || !strings.Contains(log, "the body did not arrive") {
		t.Errorf("log: %s", log)
	}
}

// forgetful is a demonstration that keeps what it is given.
type forgetful struct {
	httpapi.Demo
	got *pii.Bytes
}

func (f forgetful) Passport(_ context.Context, _, _ string, portrait pii.Bytes) (httpapi.DemoZone, error) {
	*f.got = portrait
	if !bytes.HasPrefix(portrait.Reveal(), []byte("face")) {
		return httpapi.DemoZone{}, httpapi.ErrDemoInput
	}
	panic("in the middle of it")
}

func TestAPortraitFromTheCameraIsWipedWhateverHappens(t *testing.T) {
	t.Parallel()
	for content, status := range map[string]int{"face": 500, "other": 400} {
		var got pii.Bytes
		b := newServer(t, func(cfg *httpapi.Config) { cfg.Demo = forgetful{got: &got} }).browser()
		b.Start("camera")
		r := b.Call("POST", "/demo/api/passport", map[string]any{"portrait": apitest.B64(content)})
		if r.Status != status || got.Len() != len(content) {
			t.Fatalf("%s: %d, a portrait of %d bytes", content, r.Status, got.Len())
		}
		if bytes.ContainsAny(got.Reveal(), content) {
			t.Errorf("%s: the portrait is still there", content)
		}
	}
}

func TestAFormerSessionEndsWithTheNextOne(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, next := range map[string]func(b *browser){
		"passkey":  func(b *browser) { b.SignIn() },
		"recovery": func(b *browser) { b.OK("POST", "/api/recovery", map[string]any{"auth": b.RecoveryWrap()["auth"]}, nil) },
		"another account": func(b *browser) {
			b.accepted()
			b.Auth, b.Key, b.Secret = s.browser().Auth, s.browser().Key, apitest.Draw(20)
			b.OK("POST", "/api/proofing/account", b.AccountBody(), nil)
		},
	} {
		b := s.member()
		former := b.Cookie("ipse_session")
		next(b)
		if now := b.Cookie("ipse_session"); now == "" || now == former {
			t.Errorf("%s: no new session", name)
		}
		thief := s.browser()
		thief.Headers.Set("Cookie", "__Host-ipse_session="+former)
		if r := thief.Call("GET", "/api/account", nil); r.Status != 401 {
			t.Errorf("%s: the former session still opens the account: %d", name, r.Status)
		}
	}
}
