// Package apitest plays a person's browser for tests: cookies, the headers that
// browsers add, a passkey provider, and the cryptography of the pages. It speaks
// to a server through its HTTP API alone.
package apitest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"ipse/internal/account/authtest"
	"ipse/internal/proofing"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

// Patience is how long a test waits for what must happen, on a busy machine, too.
const Patience = time.Minute

// Browser is one person's browser. It is for one goroutine at a time.
type Browser struct {
	T testing.TB
	// URL is the server's public address.
	URL    string
	Client *http.Client
	Jar    *cookiejar.Jar
	// Auth holds the passkeys, Key is the person's key pair, Secret their recovery
	// code, PRF the output of the passkey used last.
	Auth   *authtest.Authenticator
	Key    *vaulttest.Key
	Secret []byte
	PRF    []byte
	// Headers replace those of each request.
	Headers http.Header
}

// New makes a browser without cookies or passkeys.
func New(t testing.TB, address string, transport *http.Transport) *Browser {
	t.Helper()
	jar := Must(cookiejar.New(nil))
	t.Cleanup(transport.CloseIdleConnections)
	return &Browser{T: t, URL: address, Client: &http.Client{Transport: transport, Jar: jar, Timeout: Patience}, Jar: jar,
		Auth: &authtest.Authenticator{Origin: address, Rand: rand.Reader}, Key: Must(vaulttest.NewKey(rand.Reader)), Secret: Draw(20),
		Headers: http.Header{}}
}

// Must returns a value that cannot fail but by a fault of the test.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Draw returns random bytes.
func Draw(n int) []byte {
	out := make([]byte, n)
	Must(io.ReadFull(rand.Reader, out))
	return out
}

// B64 is bytes that JSON shows in base64url without padding.
type B64 []byte

// MarshalText implements encoding.TextMarshaler.
func (b B64) MarshalText() ([]byte, error) { return base64.RawURLEncoding.AppendEncode(nil, b), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *B64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

// None is the body of requests that say all by their address.
type None struct{}

// Reply is an answer, read whole.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Code returns the problem's code, or "".
func (r Reply) Code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(r.Body, &p)
	return p.Code
}

// Call sends a request as a page's fetch does. body may be a string, bytes or a
// value to encode.
func (b *Browser) Call(method, path string, body any) Reply {
	b.T.Helper()
	var reader io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(v)
	case []byte:
		reader = bytes.NewReader(v)
	default:
		reader = bytes.NewReader(Must(json.Marshal(v)))
	}
	req := Must(http.NewRequestWithContext(b.T.Context(), method, b.URL+path, reader))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		req.Header.Set("Origin", b.URL)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range b.Headers {
		req.Header[name] = values
	}
	res, err := b.Client.Do(req)
	if err != nil {
		b.T.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.T.Fatal(err)
	}
	return Reply{res.StatusCode, res.Header, raw}
}

// OK is a call that must succeed; it decodes the answer into out, if given.
func (b *Browser) OK(method, path string, body, out any) Reply {
	b.T.Helper()
	r := b.Call(method, path, body)
	if r.Status >= 300 {
		b.T.Fatalf("%s %s: %d %s", method, path, r.Status, r.Body)
	}
	if out != nil {
		if err := json.Unmarshal(r.Body, out); err != nil {
			b.T.Fatalf("%s %s: %v in %s", method, path, err, r.Body)
		}
	}
	return r
}

// Refused is a call that must be refused with this status and code.
func (b *Browser) Refused(method, path string, body any, status int, code string) {
	b.T.Helper()
	r := b.Call(method, path, body)
	if r.Status != status || r.Code() != code || r.Header.Get("Content-Type") != "application/problem+json" {
		b.T.Errorf("%s %s: %d %s, want %d %s", method, path, r.Status, r.Body, status, code)
	}
}

// Cookie returns the value of the cookie whose name ends so, or "".
func (b *Browser) Cookie(name string) string {
	for _, c := range b.Jar.Cookies(Must(url.Parse(b.URL))) {
		if strings.HasSuffix(c.Name, name) {
			return c.Value
		}
	}
	return ""
}

// View asks where the check stands.
func (b *Browser) View() proofing.View {
	b.T.Helper()
	var v proofing.View
	b.OK("GET", "/api/proofing", nil, &v)
	return v
}

// Until asks until the check is where ok says.
func (b *Browser) Until(ok func(proofing.View) bool) proofing.View {
	b.T.Helper()
	var v proofing.View
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(3 * time.Millisecond) {
		if v = b.View(); ok(v) {
			return v
		}
	}
	b.T.Fatalf("the check does not get there; it stands at %+v", v)
	return v
}

// Start begins a check and agrees to the consent.
func (b *Browser) Start(route string) proofing.View {
	b.T.Helper()
	var v proofing.View
	b.OK("POST", "/api/proofing", map[string]string{"route": route, "language": "en"}, &v)
	b.OK("POST", "/api/proofing/consent", map[string]any{"consent_id": v.Consent.ID, "agreed": true}, &v)
	return v
}

// Wrap wraps the person's key under a passkey's PRF output.
func (b *Browser) Wrap(prf, id []byte) map[string]any {
	salt := Draw(32)
	return map[string]any{"kind": "passkey", "credential_id": B64(id), "salt": B64(salt),
		"wrapped": B64(Must(b.Key.WrapForPasskey(prf, salt, Draw(12), id)))}
}

// RecoveryWrap wraps the person's key under their recovery code.
func (b *Browser) RecoveryWrap() map[string]any {
	salt := Draw(32)
	return map[string]any{"salt": B64(salt), "wrapped": B64(Must(b.Key.WrapForRecovery(b.Secret, salt, Draw(12)))),
		"auth": B64(Must(vaulttest.RecoveryAuth(b.Secret)))}
}

// Passkey makes a passkey for creation options.
func (b *Browser) Passkey(options Reply) authtest.Answer {
	b.T.Helper()
	answer, err := b.Auth.Create(options.Body)
	if err != nil {
		b.T.Fatal(err)
	}
	b.PRF = answer.PRF
	return answer
}

// AccountBody begins the creation of the account and returns the body that ends it.
func (b *Browser) AccountBody() map[string]any {
	b.T.Helper()
	answer := b.Passkey(b.OK("POST", "/api/proofing/account/options", None{}, nil))
	return map[string]any{"credential": json.RawMessage(answer.JSON), "passkey_name": "This computer",
		"vault": map[string]any{"suite": vault.Suite, "public_key": B64(b.Key.Public), "wraps": []any{b.Wrap(answer.PRF, answer.CredentialID)},
			"recovery": b.RecoveryWrap()}}
}

// CreateAccount ends an accepted check with an account and a session.
func (b *Browser) CreateAccount() proofing.View {
	b.T.Helper()
	var v proofing.View
	b.OK("POST", "/api/proofing/account", b.AccountBody(), &v)
	return v
}

// SignIn uses the passkey.
func (b *Browser) SignIn() Reply {
	b.T.Helper()
	answer, err := b.Auth.Get(b.OK("POST", "/api/session/options", None{}, nil).Body)
	if err != nil {
		b.T.Fatal(err)
	}
	b.PRF = answer.PRF
	return b.Call("POST", "/api/session", map[string]any{"credential": json.RawMessage(answer.JSON)})
}

// Account is the part of the account's JSON that tests look at.
type Account struct {
	Vault struct {
		Wraps []struct {
			Kind         string `json:"kind"`
			CredentialID B64    `json:"credential_id"`
			Salt         B64    `json:"salt"`
			Wrapped      B64    `json:"wrapped"`
		} `json:"wraps"`
	} `json:"vault"`
	Items []struct {
		ID     string `json:"id"`
		Kind   string `json:"kind"`
		Sealed B64    `json:"sealed"`
	} `json:"items"`
	Passkeys []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"passkeys"`
	Level    string `json:"level"`
	Complete bool   `json:"complete"`
}

// Open reads the account, unwraps the key with the passkey used last and opens
// every item, as the page does. It returns the claims in their combined form and
// the journal's lines.
func (b *Browser) Open() (account Account, claims string, journal []string) {
	b.T.Helper()
	b.OK("GET", "/api/account", nil, &account)
	var key *vaulttest.Key
	for _, w := range account.Vault.Wraps {
		if k, err := vaulttest.UnwrapWithPasskey(b.PRF, w.Salt, w.Wrapped, w.CredentialID); err == nil {
			key = k
		}
	}
	if key == nil {
		b.T.Fatal("no wrap opens with the passkey used last")
	}
	for _, item := range account.Items {
		plain, err := key.Open(vault.Kind(item.Kind), item.Sealed)
		if err != nil {
			b.T.Fatalf("item %s: %v", item.Kind, err)
		}
		if item.Kind == "claims" {
			claims = string(plain)
		} else {
			journal = append(journal, strings.TrimSpace(string(plain)))
		}
	}
	return account, claims, journal
}

// Present keeps of combined claims the disclosures named.
func Present(claims string, names ...string) string {
	parts := strings.Split(claims, "~")
	out := parts[0] + "~"
	for _, d := range parts[1 : len(parts)-1] {
		var triple []any
		if err := json.Unmarshal(Must(base64.RawURLEncoding.DecodeString(d)), &triple); err != nil || len(triple) != 3 {
			panic("not a disclosure")
		}
		for _, name := range names {
			if triple[1] == name {
				out += d + "~"
			}
		}
	}
	return out
}
