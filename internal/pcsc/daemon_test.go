//go:build linux

package pcsc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ipse/internal/pcsc"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/vpcd"
)

// inside marks the run of this test binary inside the namespaces.
const inside = "IPSE_TEST_PCSC_INSIDE"

// script starts pcscd with a socket of its own in a network where nobody else
// is: vpcd's driver listens on every address.
const script = `set -e
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
mkdir -p /run/pcscd 2>/dev/null && mount -t tmpfs none /run/pcscd || exit 77
pcscd --foreground >/dev/null 2>&1 &
daemon=$!
trap 'status=$?; kill $daemon 2>/dev/null || true; exit $status' EXIT
i=0
while [ ! -S /run/pcscd/pcscd.comm ]; do
  i=$((i+1)); [ $i -lt 100 ] || { echo "pcscd did not start" >&2; exit 77; }
  sleep 0.05
done
"$@"`

// TestThroughTheDaemon runs the tests below against Debian's pcscd and vpcd in
// namespaces of their own.
func TestThroughTheDaemon(t *testing.T) {
	t.Parallel()
	inNamespaces(t, 2, "TestInside")
}

// inNamespaces runs the tests of this binary whose names begin so, where the daemon has
// the network and its socket to itself; as many must pass.
func inNamespaces(t *testing.T, passes int, prefix string, env ...string) {
	t.Helper()
	if os.Getenv(inside) != "" {
		t.Skip("already inside")
	}
	for _, program := range []string{"unshare", "ip", "mount", "pcscd"} {
		_, err := exec.LookPath(program)
		if _, system := exec.LookPath("/usr/sbin/" + program); err != nil && system != nil {
			t.Skip(program + " is not installed")
		}
	}
	if found, _ := filepath.Glob("/usr/lib/pcsc/drivers/serial/libifdvpcd.so*"); len(found) == 0 {
		t.Skip("vsmartcard-vpcd is not installed")
	}
	apart := []string{"-n", "-m"}
	if os.Geteuid() != 0 { // as root of a namespace of users
		apart = append(apart, "-r")
	}
	if err := exec.CommandContext(t.Context(), "unshare", append(apart, "true")...).Run(); err != nil {
		t.Skip("this machine forbids network namespaces")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 190*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", append(apart, "--kill-child", "-f", "-p", "--mount-proc", "--propagation", "private",
		"sh", "-c", script, "sh", self, "-test.run", "^"+prefix, "-test.v", "-test.timeout", "180s")...)
	cmd.Env = append(append(os.Environ(), inside+"=1"), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 77 {
		t.Skip("pcscd does not start here")
	}
	if err != nil || bytes.Count(out, []byte("\n--- PASS: "+prefix)) != passes {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// serve puts a virtual card on the daemon's reader until the test ends or stop is called.
func serve(t *testing.T, card vpcd.Card, reset func()) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil { // the driver takes a moment to listen
			_ = vpcd.Connect(ctx, "127.0.0.1:35963", vpcd.CardConfig{Card: card, Reset: reset})
			time.Sleep(50 * time.Millisecond)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func open(t *testing.T) *pcsc.Context {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Skip("run by TestThroughTheDaemon")
	}
	c, err := pcsc.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// untilGone waits until the daemon has noticed that the card left: it looks every
// 400 ms, and would take the next one for the same. Twice in a row, because a busy
// daemon may be late once.
func untilGone(t *testing.T, c *pcsc.Context) {
	t.Helper()
	absent := 0
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		card, err := c.Connect(ctx, "virtual")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			absent = 0
		} else if absent++; absent == 2 {
			return
		}
		if card != nil {
			_, _ = card.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C})
			_ = card.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the daemon does not notice that the card left")
}

type echo struct{}

func (echo) Transmit(_ context.Context, command []byte) ([]byte, error) {
	return append(bytes.Clone(command), 0x90, 0x00), nil
}

func TestInsideACardIsFoundUsedAndMissed(t *testing.T) {
	c := open(t)
	names, err := c.Readers()
	if err != nil || len(names) == 0 {
		t.Fatalf("readers %q, %v", names, err)
	}
	stop := serve(t, echo{}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	card, err := c.Connect(ctx, "virtual")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{5, 255, 4000} {
		command := bytes.Repeat([]byte{0x11}, size)
		got, err := card.Transmit(ctx, command)
		if err != nil || !bytes.Equal(got, append(command, 0x90, 0)) {
			t.Fatalf("%d octets: % x, %v", size, got[:min(len(got), 8)], err)
		}
	}
	stop()
	for range 100 {
		if _, err = card.Transmit(ctx, []byte{0, 0xA4, 4, 0x0C}); err != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !pcsc.Lost(err) {
		t.Errorf("a removed card: %v", err)
	}
	_ = card.Close()
	untilGone(t, c)
}

// TestInsideASpecimenIsReadInFull reads documents of our software chip by our
// reader, through Debian's driver and daemon.
func TestInsideASpecimenIsReadInFull(t *testing.T) {
	c := open(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	store, err := issuer.Trust(now)
	if err != nil {
		t.Fatal(err)
	}
	pace := &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}
	portrait := append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte{0x55}, 20000)...)
	for name, access := range map[string]specimen.AccessConfig{"BAC": {BAC: true}, "PACE-GM": {PACE: pace}} {
		doc, err := issuer.Issue(specimen.DocumentConfig{Portrait: portrait, AA: "rsa-2048-sha256", CA: []specimen.CAConfig{{Curve: "P-256"}}, Access: access})
		if err != nil {
			t.Fatal(err)
		}
		software, err := specimen.NewChip(doc, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		stop := serve(t, software, software.Reset)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		card, err := c.Connect(ctx, "virtual")
		if err != nil {
			t.Fatal(err)
		}
		zone, err := mrz.Parse(doc.MRZ)
		if err != nil {
			t.Fatal(err)
		}
		x, err := mrtd.Inspect(ctx, card, store, mrtd.InspectOptions{Now: func() time.Time { return now },
			Read: chip.Options{Access: chip.FromMRZ(zone), Challenge: []byte("8 octets"), Rand: rand.Reader}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v := x.Verdict; !v.Genuine || !v.ChipAuthentic || v.Access != name || !bytes.Equal(v.Portrait.Image.Reveal(), portrait) {
			t.Errorf("%s: genuine %v, chip %v, by %s", name, v.Genuine, v.ChipAuthentic, v.Access)
		}
		x.Wipe()
		_ = card.Close()
		stop()
		untilGone(t, c)
	}
}
