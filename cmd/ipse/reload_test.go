//go:build unix

package main

import (
	"crypto/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ipse/mrtd/specimen"
)

// The real program, told to by SIGHUP, puts new lists in force and keeps the old ones
// when the new ones fail, without a restart.
func TestHangupReloadsTheTrustLists(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), freePorts(t, 1)
	lists := filepath.Join(dir, "lists")
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := func() []byte {
		t.Helper()
		issuer, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		b, err := issuer.MasterList(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := os.Mkdir(lists, 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(lists, "a.ml"), list())
	write(filepath.Join(dir, "ipse.toml"), []byte("[server]\naddress = \"127.0.0.1:"+port+"\"\npublic_url = \"http://localhost:"+port+
		"\"\n[operator]\nname = \"Example Town\"\ncontact = \"privacy@example.org\"\n[trust]\nsources = [\"lists\"]\ncheck_every = \"0s\"\n"))
	stderr := &stream{}
	cmd := &exec.Cmd{Path: program, Args: []string{"ipse", "serve", "--config", "ipse.toml"}, // TestMain runs main under this name
		Dir: dir, Env: append(os.Environ(), "TMPDIR="+dir), Stderr: stderr}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	until(t, stderr, `"msg":"ready"`)
	hangup := func(want string) {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, stderr, want)
	}
	write(filepath.Join(lists, "b.ml"), list())
	hangup(`"authorities":2,"before":1`)
	write(filepath.Join(lists, "c.ml"), []byte("not a list"))
	hangup("the old ones stay in force")
	if !strings.Contains(stderr.String(), "c.ml") {
		t.Errorf("the file is not named: %s", stderr.String())
	}
	write(filepath.Join(lists, "c.ml"), list())
	hangup(`"authorities":3,"before":2`)
	if status, _ := fetch(t, "http://localhost:"+port+"/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %d", status)
	}
}
