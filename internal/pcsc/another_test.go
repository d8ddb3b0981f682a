//go:build linux

package pcsc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

// jars is where scripts/setup.sh puts JMRTD, an independent reader of documents
// (LGPL): a tool of this test, never linked and never shipped.
const jars = "../../.cache/jmrtd"

func classPath() string {
	found, _ := filepath.Glob(filepath.Join(jars, "*.jar"))
	return strings.Join(found, ":")
}

// TestAnotherProgramReadsOurChip has JMRTD read the software chip through Debian's
// driver and daemon: what our reader takes for the standard, somebody else does too.
func TestAnotherProgramReadsOurChip(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("several starts of a Java machine")
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("java is not installed")
	}
	if !strings.Contains(classPath(), "jmrtd-") {
		t.Skip("JMRTD is not there: scripts/setup.sh test fetches it where mvn is installed")
	}
	if out, err := exec.CommandContext(t.Context(), "java", "--list-modules").Output(); err != nil || !bytes.Contains(out, []byte("jdk.compiler@")) || !bytes.Contains(out, []byte("java.smartcardio@")) {
		t.Skip("this java has no compiler or no smart cards")
	}
	classes := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "java", "-m", "jdk.compiler/com.sun.tools.javac.Main", "-cp", classPath(), "-d", classes, "testdata/jmrtd/Read.java").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	inNamespaces(t, 1, "TestAnotherInside", "IPSE_TEST_CLASSES="+classes)
}

func TestAnotherInside(t *testing.T) {
	c := open(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	library, _ := filepath.Glob("/usr/lib/*/libpcsclite.so.1")
	if len(library) == 0 {
		t.Fatal("pcscd without its library")
	}
	const arc = "0.4.0.127.0.7.2.2.4."
	for _, tc := range []struct {
		opened string
		cfg    specimen.DocumentConfig
	}{
		{"BAC", specimen.DocumentConfig{AA: "rsa-2048-sha256", CA: []specimen.CAConfig{{Curve: "P-256", Protocol: "0.4.0.127.0.7.2.2.3.2.1"}}}},
		{arc + "2.2", specimen.DocumentConfig{AA: "ecdsa-brainpoolP256r1-sha256", CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}, Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{ParameterID: 13}}}},
		{arc + "4.4", specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-384", Protocol: "0.4.0.127.0.7.2.2.3.2.4"}}, Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{ParameterID: 12}}}},
		{arc + "6.2", specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}, Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{ParameterID: 13}}}},
		{arc + "1.2", specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "dh-2"}}, Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{ParameterID: 2}}}},
		// Numbers with zero octets in front, which neither end writes (9303-11 §9.4.1).
		{arc + "1.1", specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{ParameterID: 0}}, Faults: map[string]bool{specimen.FaultDHShort: true}}},
		{arc + "2.1", specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "P-256", KeyID: 1}, {Curve: "brainpoolP320r1", KeyID: 2}}, Access: specimen.AccessConfig{BAC: true, PACE: &specimen.PACEConfig{ParameterID: 14}}}},
	} {
		if tc.cfg.Access.PACE != nil {
			tc.cfg.Access.PACE.Protocol = tc.opened
		}
		tc.cfg.Portrait = append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte{0x55}, 6000)...)
		doc, err := issuer.Issue(tc.cfg)
		if err != nil {
			t.Fatal(err)
		}
		software, err := specimen.NewChip(doc, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		stop := serve(t, software, software.Reset)
		report, err := readWithJMRTD(t, library[0], doc)
		if err != nil {
			t.Errorf("JMRTD: %v", err)
		}
		want := []string{"opened " + tc.opened}
		for _, id := range []lds.FileID{lds.COM, lds.SOD, lds.DG1, lds.DG2, lds.DG14, lds.DG15} {
			if b := doc.Files[id]; b != nil {
				want = append(want, fmt.Sprintf("file %s %x", id, sha256.Sum256(b)))
			}
		}
		if len(doc.CAKeys) > 0 {
			want = append(want, "proved CA")
		}
		switch {
		case strings.HasPrefix(string(tc.cfg.AA), "rsa-2048"):
			want = append(want, "answered AA 256")
		case tc.cfg.AA != "":
			want = append(want, "proved AA")
		}
		missing := slices.DeleteFunc(want, func(line string) bool { return strings.Contains(report, line+"\n") })
		if len(missing) > 0 {
			t.Errorf("%s: JMRTD does not say %q:\n%s", tc.opened, missing, report)
		}
		stop()
		untilGone(t, c)
	}
}

func readWithJMRTD(t *testing.T, library string, doc *specimen.Document) (string, error) {
	t.Helper()
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", "-cp", os.Getenv("IPSE_TEST_CLASSES")+":"+classPath(), "-XX:TieredStopAtLevel=1",
		"-Dsun.security.smartcardio.library="+library, "Read", zone.Number.Reveal(), zone.BirthDate.Reveal(), zone.ExpiryDate.Reveal())
	out, err := cmd.CombinedOutput()
	return string(out), err
}
