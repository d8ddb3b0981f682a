//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"ipse"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/onnx"
	"ipse/internal/proofing"
)

// TestAKilledServerLeavesNothingOfAFace kills the real program in the middle of
// a live check, with the portrait and frames in its memory, and searches every
// file that it could have written.
func TestAKilledServerLeavesNothingOfAFace(t *testing.T) {
	t.Parallel()
	if _, err := onnx.Locate("."); err != nil {
		t.Skip(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stdout, stderr := &stream{}, &stream{}
	cmd := &exec.Cmd{Path: program, Args: []string{"ipse", "demo", "--addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--log"}, // TestMain runs main under this name
		Dir: dir, Env: append(os.Environ(), "TMPDIR="+dir, "IPSE_ONNXRUNTIME="+mustLocate(t)), Stdout: stdout, Stderr: stderr}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	until(t, stdout, "Ctrl-C")
	b := apitest.New(t, regexp.MustCompile(`http://localhost:\d+`).FindString(stdout.String()), &http.Transport{})
	b.Start("camera")
	var passport struct {
		MRZ map[string]string `json:"mrz"`
	}
	b.OK("POST", "/demo/api/passport", map[string]string{"person": "p02"}, &passport)
	b.Until(func(v proofing.View) bool { return v.Document != nil && v.Document.ReaderConnected })
	b.OK("POST", "/api/proofing/document", map[string]any{"mrz": passport.MRZ}, nil)
	b.Until(func(v proofing.View) bool { return v.State == proofing.StateFace })
	channel := b.Face()
	if m := channel.Next(); m["type"] != "instruction" {
		t.Fatalf("%v in %s", m, stderr.String())
	}
	secrets := map[string][]byte{"family name": []byte("ERIKSSON"), "number": []byte("L898902C3"), "token": []byte(b.Cookie("ipse_proofing"))}
	take := func(what, name string) []byte {
		jpeg, err := ipse.DemoPeople.ReadFile("testdata/people/people/p02/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 700; at+24 < len(jpeg); at += 2000 { // after the tables that all JPEGs share
			secrets[fmt.Sprintf("%s at %d", what, at)] = jpeg[at : at+24]
		}
		return jpeg
	}
	take("portrait", "portrait.jpg")
	for i := range 20 {
		channel.Frame(int64(i)*100, take(fmt.Sprintf("frame %d", i), fmt.Sprintf("live/frame_%04d.jpg", i+1)))
		time.Sleep(20 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
	places := map[string][]byte{"log": []byte(stdout.String() + stderr.String())}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			places[name], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil || len(places) < 6 {
		t.Fatalf("%d places, %v", len(places), err)
	}
	for place, content := range places {
		for what, secret := range secrets {
			if len(secret) == 0 || bytes.Contains(content, secret) {
				t.Errorf("%s holds the %s", place, what)
			}
		}
		if filepath.Base(place) == "core" {
			t.Error("a core dump")
		}
	}
}

func mustLocate(t *testing.T) string {
	t.Helper()
	library, err := onnx.Locate(".")
	if err != nil {
		t.Fatal(err)
	}
	return library
}
