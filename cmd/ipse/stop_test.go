//go:build unix

package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
)

// TestASignalStopsAServerWithChecksUnderWay in order: streams end, the exit is clean,
// and after the next start each check goes on from the document.
func TestASignalStopsAServerWithChecksUnderWay(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), freePorts(t, 3) // its own and those of its two services
	start := func() (cmd *exec.Cmd, said *stream) {
		stdout, stderr := &stream{}, &stream{}
		cmd = &exec.Cmd{Path: program, Args: []string{"ipse", "demo", "--addr", "127.0.0.1:" + port, "--data", filepath.Join(dir, "data"), "--log"},
			Dir: dir, Env: append(os.Environ(), "TMPDIR="+dir), Stdout: stdout, Stderr: stderr}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		until(t, stdout, "Ctrl-C")
		return cmd, stderr
	}
	cmd, said := start()
	b := apitest.New(t, "http://localhost:"+port, &http.Transport{})
	b.Start("counter")
	var passport struct {
		MRZ map[string]string `json:"mrz"`
	}
	b.OK("POST", "/demo/api/passport", map[string]string{"person": "p02"}, &passport)
	b.Until(func(v proofing.View) bool { return v.Document != nil && v.Document.ReaderConnected })
	b.OK("POST", "/api/proofing/document", map[string]any{"mrz": passport.MRZ}, nil)
	b.Until(func(v proofing.View) bool { return v.State == proofing.StateCounter })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("exit: %v; %s", err, said.String())
	}
	if log := said.String(); strings.Contains(log, "ERIKSSON") || !regexp.MustCompile(`"msg":"stopping"`).MatchString(log) || strings.Contains(log, "cut off") {
		t.Errorf("log: %s", log)
	}
	cmd, said = start()
	if v := b.View(); v.State != proofing.StateDocument || v.Document.AttemptsLeft < 1 {
		t.Errorf("after the restart: %+v; %s", v, said.String())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}
