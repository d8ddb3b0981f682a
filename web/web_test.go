package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func build() fstest.MapFS {
	return fstest.MapFS{
		"index.html":                {Data: []byte("<!doctype html><title>pages</title>")},
		"favicon.svg":               {Data: []byte("<svg/>")},
		"assets/main-abc123.js":     {Data: []byte("plain script")},
		"assets/main-abc123.js.br":  {Data: []byte("brotli script")},
		"assets/main-abc123.js.gz":  {Data: []byte("gzip script")},
		"assets/style-abc123.css":   {Data: []byte("plain style")},
		"assets/text-abc123.woff2":  {Data: []byte("font")},
		".gitkeep":                  {Data: []byte("hidden")},
		"assets/only-abc123.css.gz": {Data: []byte("orphan")},

		"assets/guide-worker-abc123.js": {Data: []byte("worker")},
	}
}

func models() fstest.MapFS { return fstest.MapFS{"0a1b.onnx": {Data: []byte("network")}} }

func get(t *testing.T, h http.Handler, method, target, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryPageAddressAnswersWithTheApplication(t *testing.T) {
	t.Parallel()
	h := HandlerFS(build(), models())
	for _, target := range []string{"/", "/prove/consent", "/me", "/login/abc", "/no/such/page", "/index.html", "/.gitkeep", "/assets.js/..%2f"} {
		r := get(t, h, http.MethodGet, target, "")
		if r.StatusCode != http.StatusOK || !strings.Contains(body(t, r), "<title>pages") {
			t.Errorf("%s: status %d, not the application", target, r.StatusCode)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", target, got)
		}
	}
}

func TestHashedAssetsAreImmutableAndCompressed(t *testing.T) {
	t.Parallel()
	h := HandlerFS(build(), models())
	for _, c := range []struct{ accept, coding, want string }{
		{"", "", "plain script"},
		{"gzip, deflate, br", "br", "brotli script"},
		{"gzip", "gzip", "gzip script"},
		{"br;q=0, gzip;q=0.5", "gzip", "gzip script"},
		{"br; q=0", "", "plain script"},
		{"zstd, br;q=nonsense", "", "plain script"},
	} {
		r := get(t, h, http.MethodGet, "/assets/main-abc123.js", c.accept)
		if got := body(t, r); got != c.want || r.Header.Get("Content-Encoding") != c.coding {
			t.Errorf("accept %q: %q coded %q", c.accept, got, r.Header.Get("Content-Encoding"))
		}
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("accept %q: Cache-Control %q", c.accept, got)
		}
		if got := r.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
		if r.Header.Get("Vary") != "Accept-Encoding" {
			t.Error("Vary is missing")
		}
	}
	if r := get(t, h, http.MethodHead, "/assets/main-abc123.js", "br"); body(t, r) != "" || r.Header.Get("Content-Length") != "13" {
		t.Error("HEAD sends a body or no length")
	}
}

func TestMissingAssetsAreNotFound(t *testing.T) {
	t.Parallel()
	h := HandlerFS(build(), models())
	for _, target := range []string{"/assets/old-000000.js", "/assets/main-abc123.js.br", "/assets", "/assets/only-abc123.css", "/assets/", "/assets/models/", "/assets/models/0a1c.onnx", "/assets/models/0a1b", "/assets/models/.onnx"} {
		r := get(t, h, http.MethodGet, target, "gzip")
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, Cache-Control %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	r := get(t, HandlerFS(build(), models()), http.MethodPost, "/", "")
	if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("status %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
}

func TestWithoutABuildThePageSaysHowToMakeOne(t *testing.T) {
	t.Parallel()
	r := get(t, HandlerFS(fstest.MapFS{".gitkeep": {}}, nil), http.MethodGet, "/", "")
	if r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body(t, r), "make build") {
		t.Errorf("status %d", r.StatusCode)
	}
	if r.Header.Get("Content-Security-Policy") == "" {
		t.Error("no content security policy")
	}
}

func TestPolicyAllowsNoInlineCodeAndNoOtherOrigin(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/", "/assets/main-abc123.js", "/assets/none.js"} {
		csp := get(t, HandlerFS(build(), models()), http.MethodGet, target, "").Header.Get("Content-Security-Policy")
		for _, banned := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} {
			if strings.Contains(csp, banned) {
				t.Errorf("%s: policy contains %s", target, banned)
			}
		}
		for _, needed := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, needed) {
				t.Errorf("%s: policy lacks %s", target, needed)
			}
		}
	}
	h := get(t, HandlerFS(build(), models()), http.MethodGet, "/", "").Header
	if !strings.Contains(h.Get("Permissions-Policy"), "camera=(self)") || !strings.Contains(h.Get("Permissions-Policy"), "microphone=()") {
		t.Error("permissions: the camera is for this origin, the microphone for nobody")
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Error("nosniff or no-referrer is missing")
	}
}

func TestModelsAreServedByTheirHashForGood(t *testing.T) {
	t.Parallel()
	r := get(t, HandlerFS(build(), models()), http.MethodGet, "/assets/models/0a1b.onnx", "br")
	if r.StatusCode != http.StatusOK || body(t, r) != "network" {
		t.Fatalf("status %d, not the network", r.StatusCode)
	}
	if h := r.Header; !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Encoding") != "" {
		t.Errorf("headers %v", h)
	}
}

func TestOnlyTheWorkerCompilesWebAssemblyAndItReachesNothing(t *testing.T) {
	t.Parallel()
	h := HandlerFS(build(), models())
	policy := func(target string) string {
		return get(t, h, http.MethodGet, target, "").Header.Get("Content-Security-Policy")
	}
	worker := policy("/assets/guide-worker-abc123.js")
	for _, needed := range []string{"default-src 'none'", "script-src 'wasm-unsafe-eval';", "trusted-types 'none'"} {
		if !strings.Contains(worker, needed) {
			t.Errorf("the worker's policy lacks %s", needed)
		}
	}
	for _, banned := range []string{"'unsafe-eval'", "'unsafe-inline'", "'self'", "connect-src", "worker-src", "*", ":"} {
		if strings.Contains(worker, banned) {
			t.Errorf("the worker's policy contains %s", banned)
		}
	}
	for _, target := range []string{"/", "/prove/face", "/assets/main-abc123.js", "/assets/models/0a1b.onnx", "/assets/guide-worker", "/guide-worker-abc123.js"} {
		if csp := policy(target); strings.Contains(csp, "wasm") || !strings.Contains(csp, "trusted-types ipse-guide") {
			t.Errorf("%s: policy %s", target, csp)
		}
	}
}

func TestEmbeddedHandlerAnswers(t *testing.T) {
	t.Parallel()
	r := get(t, Handler(), http.MethodGet, "/", "")
	if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.StatusCode)
	}
}
