package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"ipse/internal/metrics"
)

func show(t *testing.T, r *metrics.Registry) string {
	t.Helper()
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestTheTextIsWhatPrometheusReads, byte for byte (exposition format 0.0.4).
func TestTheTextIsWhatPrometheusReads(t *testing.T) {
	t.Parallel()
	r := &metrics.Registry{}
	c := r.Counter("ipse_requests_total", "Requests.", "class", "status")
	c.Add(2, "api", "2xx")
	c.Add(1, "api", "5xx")
	c.Add(0, "page", "2xx")
	h := r.Histogram("ipse_request_seconds", "Time.", []float64{0.1, 1}, "class")
	for _, v := range []float64{0.05, 0.1, 0.5, 7} {
		h.Observe(v, "api")
	}
	r.Gauge("ipse_sessions", "Sessions.", func(emit func(float64, ...string)) { emit(3) })
	want := `# HELP ipse_requests_total Requests.
# TYPE ipse_requests_total counter
ipse_requests_total{class="api",status="2xx"} 2
ipse_requests_total{class="api",status="5xx"} 1
# HELP ipse_request_seconds Time.
# TYPE ipse_request_seconds histogram
ipse_request_seconds_bucket{class="api",le="0.1"} 2
ipse_request_seconds_bucket{class="api",le="1"} 3
ipse_request_seconds_bucket{class="api",le="+Inf"} 4
ipse_request_seconds_sum{class="api"} 7.65
ipse_request_seconds_count{class="api"} 4
# HELP ipse_sessions Sessions.
# TYPE ipse_sessions gauge
ipse_sessions 3
`
	if got := show(t, r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestNoLabelCanNameAnybody: whatever is given, only plain words are kept.
func TestNoLabelCanNameAnybody(t *testing.T) {
	t.Parallel()
	r := &metrics.Registry{}
	c := r.Counter("a_total", "A.", "label")
	for _, value := range []string{"ANNA MARIA", "ERIKSSON", "L898902C3", "1974-08-12", "203.0.113.5", "2001:db8::1", "x\ny", `"}`, strings.Repeat("a", 60), "né"} {
		c.Add(1, value)
	}
	c.Add(1)
	if got := show(t, r); !strings.HasSuffix(got, "counter\na_total{label=\"other\"} 11\n") {
		t.Error(got)
	}
}

// TestSeriesAreBounded, also when words are made up, and from many goroutines.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	r := &metrics.Registry{}
	c := r.Counter("a_total", "A.", "label")
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 500 {
				c.Add(1, word(g*500+i))
			}
		})
	}
	group.Wait()
	lines := strings.Count(show(t, r), "\n")
	if lines > 204 {
		t.Errorf("%d lines", lines)
	}
	if m := regexp.MustCompile(`label="other"} (\d+)`).FindStringSubmatch(show(t, r)); m == nil || m[1] != "1800" {
		t.Errorf("the rest counts as %v", m)
	}
}

// word is the n-th word.
func word(n int) string {
	var out []byte
	for ; ; n /= 26 {
		out = append(out, byte('a'+n%26))
		if n < 26 {
			return string(out)
		}
	}
}

func TestOnlyMetricsAreServed(t *testing.T) {
	t.Parallel()
	r := &metrics.Registry{}
	for target, want := range map[string]int{"GET /metrics": 200, "POST /metrics": 404, "GET /": 404, "GET /debug/pprof/": 404} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d", target, w.Code)
		}
		if w.Code == http.StatusOK && w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("%v", w.Header())
		}
	}
}
