package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ipse/internal/httpapi/apitest"
	"ipse/internal/onnx"
)

// TestMain lets the scripts run this binary as the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ipse": main})
}

// TestScripts drives the real program from the text scripts of testdata/script.
// Their first lines say what each shows. $REPO is the repository, $PORT a TCP
// port that is free.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			root, err := os.Getwd()
			if err != nil {
				return err
			}
			e.Setenv("REPO", root+"/../..")
			if library, err := onnx.Locate(root); err == nil {
				e.Setenv(onnx.EnvLibrary, library)
			}
			port, release, err := apitest.Ports(1)
			if err != nil {
				return err
			}
			e.Defer(release)
			e.Setenv("PORT", strconv.Itoa(port))
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "onnx" { // is ONNX Runtime here?
				return false, errors.New("unknown condition")
			}
			_, err := onnx.Locate(".")
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "site": site, "answers": answers, "cut": cut, "pairs": pairs, "agentid": agentID},
	})
}

// exits CODE ipse ARGS... runs the program and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		got = exit.ExitCode()
	default:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// site FILE PORT DATA [METRICS] writes the configuration of a small installation.
func site(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: site FILE PORT DATA [METRICS]")
	}
	text := fmt.Sprintf("[server]\naddress = \"127.0.0.1:%s\"\npublic_url = \"http://localhost:%s\"\ndata = %q\n", args[1], args[1], args[2])
	if len(args) > 3 {
		text += fmt.Sprintf("metrics_address = %q\n", args[3])
	}
	text += "[operator]\nname = \"Example Town\"\ncontact = \"privacy@example.org\"\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// answers URL waits until the address answers 200.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answers URL")
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(apitest.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if res, err := client.Get(args[0]); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	ts.Fatalf("%s does not answer", args[0])
}

// cut FROM OCTETS TO copies the first octets of a file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: cut FROM OCTETS TO")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b[:min(n, len(b))], 0o600))
}

// pairs A B N TO writes a list for face eval: the first N pictures of folder A
// against those of B as impostors, and one genuine pair of each folder.
func pairs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: pairs FOLDER FOLDER N TO")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	var files [2][]string
	for i := range files {
		files[i], err = filepath.Glob(filepath.Join(ts.MkAbs(args[i]), "*.jpg"))
		ts.Check(err)
		if len(files[i]) < n || n < 2 {
			ts.Fatalf("too few pictures in %s", args[i])
		}
	}
	list := "a,b,same\n"
	for _, a := range files[0][:n] {
		for _, b := range files[1][:n] {
			list += a + "," + b + ",0\n"
		}
	}
	for _, f := range files {
		list += f[0] + "," + f[1] + ",1\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(list), 0o600))
}

// agentid LETTER takes the identifier of "LETTER. Agent" from the list just printed
// into $AGENT.
func agentID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: agentid LETTER")
	}
	ts.Check(ts.Exec("ipse", "admin", "agent", "list", "--show-personal-data", "--config", "ipse.toml"))
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if id, _, _ := strings.Cut(line, " "); strings.Contains(line, args[0]+". Agent") {
			ts.Setenv("AGENT", id)
			return
		}
	}
	ts.Fatalf("no agent %s", args[0])
}
