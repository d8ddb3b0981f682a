package app_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/httpapi/apitest"
)

// TestServicesHearOfASignOut: from the person's page to the service's endpoint, in a
// running server, over a further use of the passkey.
func TestServicesHearOfASignOut(t *testing.T) {
	t.Parallel()
	tokens := make(chan string, 4)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { tokens <- r.PostFormValue("logout_token") }))
	defer receiver.Close()
	service := witness()
	service.BackChannelLogoutURI = receiver.URL
	opts := app.DemoOptions{Now: time.Now}
	opts.Register(service)
	demo, log, _ := runDemo(t, opts)
	b, code := atCounter(t, demo)
	agent := agentOf(t, demo)
	agent.Open(code)
	agent.Decide(apitest.Approval())
	b.CreateAccount()
	for _, end := range []struct{ method, path string }{{"DELETE", "/api/session"}, {"DELETE", "/api/sessions"}, {"DELETE", "/api/account"}} {
		consentAtWitness(t, b)
		if r := b.SignIn(); r.Status != http.StatusNoContent { // another token of the same session
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		b.OK(end.method, end.path, apitest.None{}, nil)
		select {
		case token := <-tokens:
			claims := string(apitest.Must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])))
			if !strings.Contains(claims, `"aud":"`+witnessID+`"`) || !strings.Contains(claims, `"sid":"`) {
				t.Errorf("%s: %s", end.path, claims)
			}
		case <-time.After(apitest.Patience):
			t.Fatalf("%s: the service is not told; %s", end.path, log)
		}
	}
}
