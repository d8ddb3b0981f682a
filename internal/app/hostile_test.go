package app_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestWhoeverSpeaksTooSlowlyOrTooMuchIsCutOff: a connection that never finishes its
// header is closed, a header without end refused, and others are served meanwhile.
func TestWhoeverSpeaksTooSlowlyOrTooMuchIsCutOff(t *testing.T) {
	t.Parallel()
	l := listen(t)
	opts, _ := options(t, filepath.Join(t.TempDir(), "data"), l)
	serve(t, opts, l)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var slow []net.Conn
	for range 20 {
		c := dial()
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	long := dial()
	go func() { // the server may stop reading at any point
		_, _ = io.WriteString(long, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "+strings.Repeat("x", 256<<10)+"\r\n\r\n")
	}()
	if res, err := http.ReadResponse(bufio.NewReader(long), nil); err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header without end: %v, %v", res, err)
	}
	res, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("others are not served: %v", err)
	}
	_ = res.Body.Close()
	for _, c := range slow { // ends after ten seconds; a busy machine may take longer
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, err := io.Copy(io.Discard, c)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Fatal("a header that never ends keeps its connection")
		}
	}
}

// TestAStopUnderLoadCutsNobodyOff: requests under way when the server stops get their
// whole answer, later ones no half of one, and the stop ends.
func TestAStopUnderLoadCutsNobodyOff(t *testing.T) {
	t.Parallel()
	l := listen(t)
	opts, _ := options(t, filepath.Join(t.TempDir(), "data"), l)
	stop := serve(t, opts, l)
	var served, halves atomic.Int64
	var group sync.WaitGroup
	over := make(chan struct{})
	for i := range 8 {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-over:
					return
				default:
				}
				if whole, began := fetch(client, fmt.Sprintf("http://%s/.well-known/openid-configuration", l.Addr())); whole {
					served.Add(1)
				} else if began {
					halves.Add(1)
				}
			}
		})
	}
	for served.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	err := stop()
	close(over)
	group.Wait()
	if err != nil || halves.Load() > 0 {
		t.Errorf("stop: %v; %d answers cut in the middle", err, halves.Load())
	}
}

// fetch reports whether an answer arrived whole, and whether one began.
func fetch(client *http.Client, address string) (whole, began bool) {
	res, err := client.Get(address)
	if err != nil {
		return false, false
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && strings.HasSuffix(strings.TrimSpace(string(body)), "}"), true
}
