package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/fair"
	"ipse/internal/httpapi"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
)

func TestOnlyOwnPagesMayChangeAnything(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	body := map[string]string{"route": "camera", "language": "en"}
	for name, headers := range map[string]http.Header{
		"another origin":       {"Origin": {"https://evil.example"}},
		"no origin":            {"Origin": nil},
		"null":                 {"Origin": {"null"}},
		"the origin over http": {"Origin": {strings.Replace(s.url, "https", "http", 1)}},
		"another port":         {"Origin": {"https://localhost"}},
		"a neighbour host":     {"Sec-Fetch-Site": {"same-site"}},
		"another site":         {"Sec-Fetch-Site": {"cross-site"}},
	} {
		b.Headers = headers
		b.Refused("POST", "/api/proofing", body, 403, "forbidden")
		b.Refused("DELETE", "/api/account", apitest.None{}, 403, "forbidden")
		b.Refused("PUT", "/api/account/recovery", apitest.None{}, 403, "forbidden")
		if b.Cookie("ipse_proofing") != "" {
			t.Errorf("%s: a session was opened", name)
		}
	}
	b.Headers = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	b.Refused("GET", "/api/config", nil, 403, "forbidden")
	b.Headers = http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}
	b.Refused("GET", "/api/config", nil, 403, "forbidden")
	b.Headers = http.Header{"Sec-Fetch-Site": {"none"}} // typed into the address bar
	b.OK("GET", "/api/config", nil, nil)
}

func TestBodiesAreSmallAndStrict(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"not JSON":        {`{"route":`, 400, "invalid_request"},
		"empty":           {``, 400, "invalid_request"},
		"blank":           {" \n\t", 400, "invalid_request"},
		"a list":          {`[]`, 400, "invalid_request"},
		"null":            {`null`, 400, "invalid_request"},
		"unknown member":  {`{"route":"camera","language":"en","admin":true}`, 400, "invalid_request"},
		"two values":      {`{"route":"camera","language":"en"}{}`, 400, "invalid_request"},
		"another type":    {`{"route":1,"language":"en"}`, 400, "invalid_request"},
		"unknown route":   {`{"route":"satellite","language":"en"}`, 400, "invalid_request"},
		"unknown tongue":  {`{"route":"camera","language":"tlh"}`, 400, "invalid_request"},
		"far too large":   {`{"route":"` + strings.Repeat("a", 200<<10) + `"}`, 413, "too_large"},
		"deeply nested":   {strings.Repeat(`{"route":`, 10_000), 400, "invalid_request"},
		"invalid unicode": {"{\"route\":\"\xff\",\"language\":\"en\"}", 400, "invalid_request"},
	} {
		r := b.Call("POST", "/api/proofing", c.body)
		if r.Status != c.status || r.Code() != c.code {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	b.Headers = http.Header{"Content-Type": {"text/plain"}}
	b.Refused("POST", "/api/proofing", `{"route":"camera","language":"en"}`, 400, "invalid_request")
	b.Headers = http.Header{}
	b.Refused("GET", "/api/nothing", nil, 404, "not_found")
	b.Refused("PUT", "/api/proofing", apitest.None{}, 404, "not_found")
}

func TestALongBodyWithoutALengthIsCutOff(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	req := apitest.Must(http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/proofing", endless{}))
	req.Header.Set("Origin", s.url)
	req.Header.Set("Content-Type", "application/json")
	res, err := b.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '{'
	}
	return len(p), nil
}

func TestAnswersAreNeitherCachedNorFramedNorSniffed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	for _, r := range []apitest.Reply{b.Call("GET", "/api/config", nil), b.Call("GET", "/api/account", nil), b.Call("GET", "/api/x", nil)} {
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if !strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("headers %v", r.Header)
		}
	}
	r := b.OK("POST", "/api/proofing", map[string]string{"route": "camera", "language": "en"}, nil)
	cookie := r.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-ipse_proofing=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	if strings.Contains(cookie, "Domain") || strings.Contains(cookie, "Max-Age") {
		t.Errorf("cookie %q reaches further than this host and this browser session", cookie)
	}
}

func TestAnAddressThatAsksTooMuchWaits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	body := map[string]any{"auth": apitest.B64(apitest.Draw(32))}
	var last apitest.Reply
	for range 80 {
		if last = b.Call("POST", "/api/recovery", body); last.Code() == "rate_limited" {
			break
		}
	}
	if last.Status != 429 || last.Header.Get("Retry-After") == "" {
		t.Fatalf("%d %s %v", last.Status, last.Body, last.Header)
	}
	for range 700 {
		if last = b.Call("POST", "/api/session/options", apitest.None{}); last.Status == 429 {
			break
		}
	}
	if last.Code() != "rate_limited" {
		t.Fatalf("session options are not limited: %d %s", last.Status, last.Body)
	}
	b.OK("GET", "/api/config", nil, nil)
	s.add(time.Minute)
	b.OK("POST", "/api/session/options", apitest.None{}, nil)
}

// TestAskingAndLeavingCostToo: what reads the store is not free.
func TestAskingAndLeavingCostToo(t *testing.T) {
	t.Parallel()
	for method, path := range map[string]string{"GET": "/api/proofing", "DELETE": "/api/session"} {
		s := newServer(t)
		b := s.browser()
		var body any
		if method == "DELETE" {
			body = apitest.None{}
		}
		last := apitest.Reply{}
		for range 700 {
			if last = b.Call(method, path, body); last.Status == 429 {
				break
			}
		}
		if last.Code() != "rate_limited" {
			t.Errorf("%s %s is not limited: %d", method, path, last.Status)
		}
	}
}

func TestForwardedAddressesCountFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		peer, forwarded, want string
		proxies               []netip.Prefix
	}{
		{"203.0.113.5:1234", "", "203.0.113.5", nil},
		{"203.0.113.5:1234", "198.51.100.1", "203.0.113.5", nil},
		{"203.0.113.5:1234", "198.51.100.1", "203.0.113.5", trusted},
		{"10.1.1.1:1234", "198.51.100.1", "198.51.100.1", trusted},
		{"10.1.1.1:1234", "6.6.6.6, 198.51.100.1, 10.2.2.2", "198.51.100.1", trusted},
		{"10.1.1.1:1234", "", "10.1.1.1", trusted},
		{"10.1.1.1:1234", "junk", "10.1.1.1", trusted},
		{"[2001:db8:1:2:3:4:5:6]:1234", "", "2001:db8:1:2:3:4:5:6", nil},
		{"[::ffff:203.0.113.5]:1234", "", "203.0.113.5", nil},
		{"pipe", "", "", nil},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		addr, _ := netip.ParseAddr(c.want)
		if httpapi.Client(c.proxies)(r) != fair.Of(addr) {
			t.Errorf("%s forwarded for %q is not %q", c.peer, c.forwarded, c.want)
		}
	}
}

// TestANetworkCannotMultiplyItsAllowance: every address of an IPv6 /48 asks, and
// the network as a whole runs out, while another network asks on.
func TestANetworkCannotMultiplyItsAllowance(t *testing.T) {
	t.Parallel()
	var from atomic.Value
	s := newServer(t, func(cfg *httpapi.Config) {
		cfg.Client = func(*http.Request) fair.Client { return fair.Of(from.Load().(netip.Addr)) }
	})
	b := s.browser()
	body := map[string]any{"auth": apitest.B64(apitest.Draw(32))}
	asked, limited := 0, false
	for i := 0; i < 4000 && !limited; i++ { // 10 points each; 16 times 600 for a /48
		from.Store(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, byte(i >> 8), byte(i)}))
		r := b.Call("POST", "/api/recovery", body)
		asked++
		limited = r.Status == 429
	}
	if !limited || asked > 1100 {
		t.Errorf("%d addresses of one network asked, limited: %t", asked, limited)
	}
	from.Store(netip.MustParseAddr("2001:db8:2::1"))
	b.Refused("POST", "/api/recovery", body, 401, "recovery_refused")
}

func TestAPanicIsAProblemAndLeavesNoData(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(cfg *httpapi.Config) {
		cfg.Ready = func(context.Context) error { panic("L898902C3 of ERIKSSON") }
	})
	b := s.browser()
	b.Refused("GET", "/readyz", nil, 500, "internal")
	b.OK("GET", "/healthz", nil, nil)
	if log := s.log.String(); strings.Contains(log, "ERIKSSON") || !strings.Contains(log, `"kind":"string"`) || !strings.Contains(log, "httpapi") {
		t.Errorf("log: %s", log)
	}
}

func TestReadinessNamesNoCause(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(cfg *httpapi.Config) {
		cfg.Ready = func(context.Context) error { return errors.New("disk /dev/sda is gone") }
	})
	r := s.browser().Call("GET", "/readyz", nil)
	if r.Status != 503 || r.Code() != "unavailable" || strings.Contains(string(r.Body), "sda") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	s.browser().OK("GET", "/healthz", nil, nil)
}

// demoScript is a demonstration that answers as told.
type demoScript struct{ err error }

func (d demoScript) Passport(_ context.Context, _, _ string, portrait pii.Bytes) (httpapi.DemoZone, error) {
	portrait.Wipe()
	return httpapi.DemoZone{DocumentNumber: "L898902C3"}, d.err
}

func (demoScript) File(person, name string) ([]byte, error) {
	if person != "p02" {
		return nil, httpapi.ErrDemoInput
	}
	return []byte(name), nil
}

func (demoScript) Agent(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("agent")) }

func TestDemoRoutesExistInTheDemonstrationAlone(t *testing.T) {
	t.Parallel()
	plain := newServer(t).browser()
	plain.Start("camera")
	for _, path := range []string{"/demo/", "/demo/people/p02/live/truth.json", "/demo/api/passport"} {
		plain.Refused("GET", path, nil, 404, "not_found")
	}
	plain.Refused("POST", "/demo/api/passport", map[string]string{"person": "p02"}, 404, "not_found")
	plain.Refused("GET", "/demo/agent", nil, 404, "not_found")
	plain.Refused("POST", "/demo/agent", "code=ABCD", 404, "not_found")

	s := newServer(t, func(cfg *httpapi.Config) { cfg.Demo = demoScript{} })
	b := s.browser()
	b.Refused("POST", "/demo/api/passport", map[string]string{"person": "p02"}, 404, "no_proofing")
	b.Start("camera")
	var got map[string]httpapi.DemoZone
	b.OK("POST", "/demo/api/passport", map[string]string{"person": "p02"}, &got)
	if got["mrz"].DocumentNumber != "L898902C3" {
		t.Errorf("%v", got)
	}
	b.OK("POST", "/demo/api/passport", map[string]any{"portrait": apitest.B64(make([]byte, 300<<10))}, nil)
	b.Refused("POST", "/demo/api/passport", map[string]any{"portrait": apitest.B64(make([]byte, 500<<10))}, 413, "too_large")
	b.Refused("POST", "/demo/api/passport", map[string]any{"person": "p02", "portrait": "AAAA"}, 400, "invalid_request")
	b.Refused("POST", "/demo/api/passport", map[string]any{}, 400, "invalid_request")
	if r := b.OK("GET", "/demo/people/p02/live/frame_0001.jpg", nil, nil); r.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%v", r.Header)
	}
	b.Refused("GET", "/demo/people/p99/live/truth.json", nil, 404, "not_found")
}

func TestACheckSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	waiting, accepted, member := s.atFace(), s.browser().accepted(), s.member()
	s.restart()
	if v := waiting.View(); v.State != proofing.StateDocument || v.Document.PairingCode == "" {
		t.Errorf("in mid-proofing: %+v", v)
	}
	if v := waiting.read(); v.State != proofing.StateFace {
		t.Errorf("read again: %+v", v)
	}
	if v := accepted.View(); v.State != proofing.StateAccount || v.DocumentSummary == nil {
		t.Errorf("accepted: %+v", v)
	}
	accepted.CreateAccount()
	member.opensOwnData()
}

func TestExpiredChecksAreOver(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.atFace()
	s.add(31 * time.Minute)
	if v := b.View(); v.State != proofing.StateExpired {
		t.Fatalf("%+v", v)
	}
	b.Refused("POST", "/api/proofing/document", typed(), 409, "wrong_state")
	b.Refused("GET", "/api/proofing/attributes", nil, 409, "wrong_state")
	if m := b.Face().Last(); m["type"] != "error" || m["code"] != "wrong_state" {
		t.Errorf("the live check: %v", m)
	}
	if v := b.Start("camera"); v.State != proofing.StateDocument {
		t.Errorf("a new check: %+v", v)
	}
}

func TestAReaderThatVanishesInMidReadIsNamed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	reading := make(chan struct{})
	s.chip.set(func(ctx context.Context, card proofing.Card, _ proofing.ReadRequest) (*proofing.Reading, error) {
		close(reading)
		for {
			if _, err := card.Transmit(ctx, []byte{0, 0xB0, 0, 0, 0}); err != nil {
				return nil, &proofing.ReadError{Code: proofing.FailureChip, Err: err}
			}
		}
	})
	b := s.browser()
	b.Start("camera")
	unplug := b.plug()
	b.OK("POST", "/api/proofing/document", typed(), nil)
	b.Refused("POST", "/api/proofing/document", typed(), 409, "wrong_state") // twice
	<-reading
	unplug()
	v := b.Until(func(v proofing.View) bool { return v.Document != nil && v.Document.Phase == proofing.DocumentFailed })
	if v.Document.Failure != proofing.FailureReaderLost || v.Document.AttemptsLeft != 4 || v.Document.PairingCode == "" {
		t.Errorf("%+v", v.Document)
	}
	s.chip.set(nil)
	if v := b.read(); v.State != proofing.StateFace {
		t.Errorf("read again: %+v", v)
	}
}

func TestDocumentsThatAreNotGenuineEndTheCheck(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.chip.set(func(context.Context, proofing.Card, proofing.ReadRequest) (*proofing.Reading, error) {
		return &proofing.Reading{Genuine: false, Chip: proofing.ResultFailed}, nil
	})
	b := s.browser()
	b.Start("counter")
	if v := b.read(); v.State != proofing.StateRefused || v.Result.Reason != proofing.ReasonDocumentNotGenuine {
		t.Errorf("%+v", v)
	}
	b.Refused("POST", "/api/proofing/account/options", apitest.None{}, 409, "wrong_state")
}

// TestNothingOfAPersonIsWritten drives whole checks, then searches the log and
// every file of the database for what passed through.
func TestNothingOfAPersonIsWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	canary := "CANARY-" + fmt.Sprintf("%x", apitest.Draw(8))
	frame := append(jpegFrame(1)[:6], canary...)
	s.chip.set(func(context.Context, proofing.Card, proofing.ReadRequest) (*proofing.Reading, error) {
		r := specimen()
		r.Portrait = pii.NewBytes([]byte("portrait " + canary))
		return r, nil
	})
	done, refused, gone := s.browser(), s.browser(), s.browser()
	for _, b := range []*browser{done, refused, gone} {
		b.Start("camera")
		b.read()
	}
	if m := done.runFace(append(frame, 1)); m["accepted"] != true {
		t.Fatal(m)
	}
	done.CreateAccount()
	s.face.mu.Lock()
	s.face.refuse, s.face.decision = true, proofing.FaceDecision{Reason: proofing.ReasonNotLive}
	s.face.mu.Unlock()
	refused.runFace(append(frame, 1))
	c := gone.Face()
	c.Next()
	c.Frame(0, append(frame, 0))
	_ = c.WS.CloseNow()
	gone.Until(func(v proofing.View) bool { return v.Face != nil && v.Face.Phase == proofing.FaceFailed })

	secrets := []string{canary, "ERIKSSON", "ANNA MARIA", "L898902C3", "1974-08-12", done.Cookie("ipse_proofing"), done.Cookie("ipse_session"),
		refused.Cookie("ipse_proofing")}
	files := apitest.Must(filepath.Glob(s.path + "*"))
	if len(files) == 0 {
		t.Fatal("no database")
	}
	places := map[string]string{"log": s.log.String()}
	for _, f := range files {
		places[filepath.Base(f)] = string(apitest.Must(os.ReadFile(f)))
	}
	for place, content := range places {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(content, secret) {
				t.Errorf("%s holds %q", place, secret)
			}
		}
	}
	if !strings.Contains(places["log"], "POST /api/proofing/account") {
		t.Error("the log holds no requests: the test searches nothing")
	}
}

func TestProblemsOfTheProviderKeepTheirCodes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	member := s.member()
	for code, want := range map[string]problem.Code{"login_sign_in_again": problem.PasskeyNeeded, "login_other_browser": problem.LoginUnknown,
		"login_presentation_invalid": problem.PresentationRefused, "login_essential_missing": problem.EssentialMissing} {
		s.logins.mu.Lock()
		s.logins.err = loginError(code)
		s.logins.mu.Unlock()
		if r := member.Call("POST", "/api/login/one/consent", map[string]string{"presentation": "x"}); r.Code() != string(want) {
			t.Errorf("%s: %d %s", code, r.Status, r.Body)
		}
	}
}
