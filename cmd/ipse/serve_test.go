package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/httpapi/apitest"
)

// stream is what a command prints, read while it prints.
type stream struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// started runs a command until stop is called, which returns its exit code.
func started(t *testing.T, args ...string) (stdout, stderr *stream, stop func() int) {
	t.Helper()
	stdout, stderr = &stream{}, &stream{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	code := make(chan int, 1)
	go func() {
		code <- run(&cliContext{Context: ctx, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Now: time.Now, Version: "test"}, args)
	}()
	stop = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { stop() })
	return stdout, stderr, stop
}

// until waits for a text.
func until(t *testing.T, s *stream, want string) {
	t.Helper()
	for deadline := time.Now().Add(apitest.Patience); !strings.Contains(s.String(), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q does not come: %s", want, s.String())
		}
	}
}

func fetch(t *testing.T, address string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: apitest.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// freePorts is the first of n ports in a row that are free during the test.
func freePorts(t *testing.T, n int) string {
	t.Helper()
	first, release, err := apitest.Ports(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return strconv.Itoa(first)
}

func TestTheDemonstrationSaysWhereToGoAndStops(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	stdout, stderr, stop := started(t, "demo", "--addr", "127.0.0.1:0", "--data", data)
	until(t, stdout, "Ctrl-C")
	urls := regexp.MustCompile(`http://localhost:\d+`).FindAllString(stdout.String(), -1)
	if len(urls) < 3 {
		t.Fatalf("addresses: %v in %s", urls, stdout.String())
	}
	if status, body := fetch(t, urls[0]+"/api/config"); status != 200 || !strings.Contains(body, `"demo":true`) {
		t.Errorf("%d %s", status, body)
	}
	if !strings.Contains(stdout.String(), urls[0]+"/agent/enrol#") {
		t.Errorf("no address for the agent: %s", stdout.String())
	}
	offices := regexp.MustCompile(`Utopia .* (http://localhost:\d+)\n`).FindAllStringSubmatch(stdout.String(), -1)
	if len(offices) != 2 {
		t.Fatalf("the services: %v", offices)
	}
	for _, match := range offices {
		office := match[1]
		if status, body := fetch(t, office+"/"); status != 200 || !strings.Contains(body, "Utopia") {
			t.Errorf("%s: %d", office, status)
		}
	}
	if code := stop(); code != exitDone {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if said := stdout.String() + stderr.String(); strings.Contains(said, "ERIKSSON") || strings.Contains(said, "L898902C3") {
		t.Error("something personal was printed")
	}
	if _, err := os.Stat(filepath.Join(data, "ipse.db")); err != nil {
		t.Errorf("--data was not used: %v", err)
	}
}

func TestTheServerRunsFromAConfigurationFile(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), freePorts(t, 1)
	name := filepath.Join(dir, "ipse.toml")
	text := "[server]\naddress = \"127.0.0.1:" + port + "\"\npublic_url = \"http://localhost:" + port + "\"\n[operator]\nname = \"Example Town\"\ncontact = \"privacy@example.org\"\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, stop := started(t, "serve", "--config", name)
	until(t, stderr, `"msg":"ready"`)
	if status, _ := fetch(t, "http://localhost:"+port+"/readyz"); status != 200 {
		t.Errorf("not ready: %d", status)
	}
	if status, _ := fetch(t, "http://localhost:"+port+"/demo/people/p02/live/truth.json"); status != 404 {
		t.Errorf("a demo route answers %d", status)
	}
	_, second, stopSecond := started(t, "serve", "--config", name)
	until(t, second, "is in use by another server that runs")
	if code := stopSecond(); code != exitFailed {
		t.Errorf("a second server on the same folder: exit %d", code)
	}
	if code := stop(); code != exitDone || stdout.String() != "" {
		t.Errorf("exit %d, stdout %q", code, stdout.String())
	}
	if info, err := os.Stat(filepath.Join(dir, "data")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v %v", info, err)
	}
}
