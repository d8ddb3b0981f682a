// Package metrics counts what a server does and shows the counts to a Prometheus
// server, in the text exposition format 0.0.4. It holds numbers and a few labels out
// of closed sets: a label that is not a plain word becomes "other", and a family has
// no more than a bounded number of series, so that no value of a person, an address
// or an account can come to stand in it, nor fill the memory.
//
// The usual client library (prometheus/client_golang) is not used: it takes any text
// as a label, which is what must not be possible here, and brings six modules,
// protocol buffers among them, for the four kinds of lines written below.
package metrics

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Bounds of what a family may hold.
const (
	maxSeries = 200
	maxLabel  = 48 // bytes
)

// plain is what a label's value may be: a code of this program, or the class of a
// status. No number, no name as it is written, nothing long.
var plain = regexp.MustCompile(`^[a-z][a-z_]*$|^[1-5]xx$|^$`) // a compiled constant

// Registry holds the families. The zero value is empty and ready; it is safe for
// concurrent use.
type Registry struct {
	mu       sync.Mutex // guards families, and the series of each
	families []*family
}

type family struct {
	name, help, kind string
	labels           []string
	buckets          []float64 // of histograms, ascending
	series           map[string]*series
	read             func(emit func(value float64, labels ...string)) // of gauges read when shown
}

type series struct {
	labels []string
	value  float64
	counts []uint64 // of a histogram: per bucket, the last for all above
}

// Counter only grows.
type Counter struct {
	r *Registry
	f *family
}

// Histogram counts values by size.
type Histogram struct {
	r *Registry
	f *family
}

func (r *Registry) add(f *family) *family {
	f.series = map[string]*series{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.families = append(r.families, f)
	return f
}

// Counter adds a family of counters. By convention its name ends in _total.
func (r *Registry) Counter(name, help string, labels ...string) *Counter {
	return &Counter{r: r, f: r.add(&family{name: name, help: help, kind: "counter", labels: labels})}
}

// Histogram adds a family of histograms with these upper bounds, ascending.
func (r *Registry) Histogram(name, help string, buckets []float64, labels ...string) *Histogram {
	return &Histogram{r: r, f: r.add(&family{name: name, help: help, kind: "histogram", labels: labels, buckets: buckets})}
}

// Gauge adds a family whose values are read when they are shown: read calls emit
// for each series, from the goroutine that asks.
func (r *Registry) Gauge(name, help string, read func(emit func(value float64, labels ...string)), labels ...string) {
	r.add(&family{name: name, help: help, kind: "gauge", labels: labels, read: read})
}

// Add counts n more.
func (c *Counter) Add(n int, labels ...string) {
	if n <= 0 {
		return
	}
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.f.at(labels).value += float64(n)
}

// Observe counts a value.
func (h *Histogram) Observe(value float64, labels ...string) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	s := h.f.at(labels)
	if s.counts == nil {
		s.counts = make([]uint64, len(h.f.buckets)+1)
	}
	i, _ := slices.BinarySearch(h.f.buckets, value)
	s.counts[i]++
	s.value += value
}

// at finds a series, or makes it while there is room. mu of the registry is held.
func (f *family) at(labels []string) *series {
	clean := make([]string, len(f.labels))
	for i := range clean {
		clean[i] = "other"
		if i < len(labels) && len(labels[i]) <= maxLabel && plain.MatchString(labels[i]) {
			clean[i] = labels[i]
		}
	}
	key := strings.Join(clean, "\x00")
	s := f.series[key]
	if s == nil && len(f.series) >= maxSeries {
		for i := range clean {
			clean[i] = "other"
		}
		key = strings.Join(clean, "\x00")
		s = f.series[key]
	}
	if s == nil {
		s = &series{labels: clean}
		f.series[key] = s
	}
	return s
}

// Write writes every family (Prometheus text format 0.0.4).
func (r *Registry) Write(w io.Writer) error {
	r.mu.Lock()
	families := slices.Clone(r.families)
	r.mu.Unlock()
	out := bufio.NewWriter(w)
	for _, f := range families {
		if f.read != nil {
			r.refresh(f)
		}
		r.mu.Lock()
		f.write(out)
		r.mu.Unlock()
	}
	return out.Flush()
}

// refresh replaces a gauge's series by what it reads now, without holding the lock
// meanwhile: what is read has locks of its own.
func (r *Registry) refresh(f *family) {
	fresh := family{labels: f.labels, series: map[string]*series{}}
	f.read(func(value float64, labels ...string) { fresh.at(labels).value = value })
	r.mu.Lock()
	defer r.mu.Unlock()
	f.series = fresh.series
}

func (f *family) write(w io.Writer) {
	_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind) // a bufio.Writer keeps the error for Flush
	all := make([]*series, 0, len(f.series))
	for _, s := range f.series {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *series) int {
		return cmp.Compare(strings.Join(a.labels, "\x00"), strings.Join(b.labels, "\x00"))
	})
	for _, s := range all {
		if f.kind != "histogram" {
			_, _ = fmt.Fprintf(w, "%s%s %s\n", f.name, f.pairs(s, ""), number(s.value))
			continue
		}
		var sum uint64
		for i, n := range s.counts {
			bound := "+Inf"
			if i < len(f.buckets) {
				bound = number(f.buckets[i])
			}
			sum += n
			_, _ = fmt.Fprintf(w, "%s_bucket%s %d\n", f.name, f.pairs(s, bound), sum)
		}
		_, _ = fmt.Fprintf(w, "%s_sum%s %s\n%s_count%s %d\n", f.name, f.pairs(s, ""), number(s.value), f.name, f.pairs(s, ""), sum)
	}
}

func (f *family) pairs(s *series, bound string) string {
	var pairs []string
	for i, name := range f.labels {
		pairs = append(pairs, name+`="`+s.labels[i]+`"`)
	}
	if bound != "" {
		pairs = append(pairs, `le="`+bound+`"`)
	}
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// ServeHTTP implements http.Handler: GET /metrics and nothing else.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path != "/metrics" || req.Method != http.MethodGet {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = r.Write(w) // the client is gone: nothing left to tell it
}
