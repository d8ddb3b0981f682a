package app_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/pii/piitest"
)

// TestMetricsCountAndNameNobody: after a whole journey the exposition has its counts,
// no value of the person, no address, no account, and no label but plain words.
func TestMetricsCountAndNameNobody(t *testing.T) {
	t.Parallel()
	opts := app.DemoOptions{Now: time.Now}
	opts.Register(witness())
	opts.Metrics(":0") // of loopback
	demo, log, _ := runDemo(t, opts)
	b, code := atCounter(t, demo)
	agent := agentOf(t, demo)
	agent.Open(code)
	agent.Decide(apitest.Approval())
	b.CreateAccount()
	consentAtWitness(t, b)
	account, _, _ := b.Open()
	found := regexp.MustCompile(`"msg":"metrics","address":"(127\.0\.0\.1:\d+)"`).FindStringSubmatch(log.String())
	if found == nil {
		t.Fatalf("no address in the log: %s", log)
	}
	address := found[1]
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{`ipse_checks_total{outcome="accepted",reason=""} 1`, `ipse_checks_total{outcome="done",reason=""} 1`,
		`ipse_requests_total{class="check",status="2xx"}`, `ipse_requests_total{class="oidc",status="3xx"}`, "ipse_database_up 1", "ipse_logins_waiting 1",
		`ipse_request_seconds_count{class="login"}`, "ipse_trust_authorities 1", "ipse_readings_running 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
	canaries := []string{"ERIKSSON", "ANNA", "L898902", "1974", "127.0.0.1", witnessID, code, "counter", "Demo agent"}
	for _, p := range account.Passkeys {
		canaries = append(canaries, p.Name)
	}
	for _, canary := range canaries {
		if piitest.Shows(regexp.MustCompile(`(?m)^# .*$`).ReplaceAllString(text, ""), canary) {
			t.Errorf("%q is in the metrics", canary)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if !regexp.MustCompile(`^(# (HELP|TYPE) ipse_\w+ .+|ipse_\w+(\{(\w+="([a-z_]*|[1-5]xx|[0-9.]+|\+Inf)",?)*\})? [0-9.e+-]+)$`).MatchString(line) {
			t.Errorf("line %q", line)
		}
	}
}
