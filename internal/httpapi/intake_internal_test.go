package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/pii"
	"ipse/internal/problem"
)

// FuzzFrames: whatever a page sends over the live check's channel, only what begins as
// a JPEG with a plausible time is handed on, its header left out; what is refused says
// nothing of it; no buffer is lost, none holds a picture afterwards.
func FuzzFrames(f *testing.F) {
	jpeg := func(at byte, more ...byte) []byte {
		return append([]byte{0, 0, 0, 0, 0, 0, 0, at, 0xFF, 0xD8, 0xFF, 0xE0}, more...)
	}
	f.Add(true, jpeg(1, 1, 2, 3), jpeg(2, 4))
	f.Add(true, jpeg(9), jpeg(1)) // back in time
	f.Add(true, jpeg(0), append(bytes.Repeat([]byte{0xFF}, 11), 0xE0))
	f.Add(false, []byte(`{"type":"light","declined":true}`), []byte{})
	f.Add(true, []byte{0, 0, 0, 0, 0, 0, 0, 1, 0x89, 'P', 'N', 'G'}, []byte(nil))
	none := make([]byte, frameHeader+maxFrame+1)
	f.Fuzz(func(t *testing.T, binary bool, first, second []byte) {
		in := newIntake(nil, func() time.Time { return time.Unix(1e9, 0) })
		kind := websocket.MessageText
		if binary {
			kind = websocket.MessageBinary
		}
		pace := pacer{last: in.now(), left: frameBurst}
		var began uint64
		for count, raw := range [][]byte{first, second} {
			if len(raw) > frameHeader+maxFrame {
				return // read refuses it before
			}
			b := in.buffer()
			err := in.accept(kind, b[:copy(b, raw)], &began, count, &pace)
			refusal, _ := errors.AsType[*problem.Error](err)
			switch {
			case err == nil && (!binary || len(raw) < frameHeader+4 || !bytes.HasPrefix(raw[frameHeader:], []byte{0xFF, 0xD8, 0xFF})):
				t.Fatal("something else than a JPEG is handed on")
			case err != nil && (refusal == nil || len(raw) > 20 && strings.Contains(err.Error(), string(raw))):
				t.Fatalf("refused without a code, or with what was sent: %v", err)
			case err != nil:
				continue
			}
			frame := <-in.waiting
			if !bytes.Equal(frame.JPEG.Reveal(), raw[frameHeader:]) || frame.CapturedAt < 0 || frame.CapturedAt > time.Hour {
				t.Fatalf("a frame of another content, or taken after %v", frame.CapturedAt)
			}
			in.waiting <- frame
		}
		if free, waiting := len(in.free), len(in.waiting); free+waiting != len(in.bufs) {
			t.Fatalf("%d free, %d waiting, %d made", free, waiting, len(in.bufs))
		}
		in.wipe()
		for _, b := range in.bufs {
			if !bytes.Equal(b, none) {
				t.Fatal("a picture stays")
			}
		}
	})
}

// FuzzBodies: a body is one JSON object of known members or a named refusal that
// repeats nothing of it.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"credential":{"id":"AA"},"vault":{"suite":"s","public_key":"AAAA","wraps":[{"kind":"passkey","credential_id":"AA","salt":"AA","wrapped":"AA"}],"recovery":{"salt":"AA","wrapped":"AA","auth":"AA"}},"passkey_name":"n"}`,
		`{"presentation":"a.b.c~","remember":true}`, `{} {}`, `[]`, `{"a":1}`, "\xef\xbb\xbf{}", `{"vault":{"public_key":"A"}}`, ` `, strings.Repeat(`{"vault":`, 200),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, into := range []any{&createBody{}, &LoginAnswer{}, &nothing{}, &recoveryBody{}} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			err := readJSON(r, into)
			if err == nil {
				var object map[string]json.RawMessage
				if json.Unmarshal([]byte(body), &object) != nil {
					t.Fatalf("%q is no object", body)
				}
				continue
			}
			refusal, named := errors.AsType[*problem.Error](err)
			if !named || refusal.Code != problem.InvalidRequest && refusal.Code != problem.TooLarge {
				t.Fatalf("%v", err)
			}
			if len(body) > 12 && strings.Contains(err.Error(), body) {
				t.Fatal("the refusal repeats the body")
			}
		}
	})
}

// TestAPlaceIsKeptWhateverIsReleased: buffers come back by any part that begins at
// their frame, once each, and wiped.
func TestAPlaceIsKeptWhateverIsReleased(t *testing.T) {
	t.Parallel()
	in := newIntake(nil, time.Now)
	a, b := in.buffer(), in.buffer()
	copy(a, "header..picture")
	in.release(pii.NewBytes(a[frameHeader:15]))
	in.release(pii.NewBytes(b[:0]))
	if len(in.free) != 2 || string(a[frameHeader:15]) != "\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%d free, %q", len(in.free), a[frameHeader:15])
	}
	for range 2 {
		if again := in.buffer(); &again[0] != &a[0] && &again[0] != &b[0] || len(again) != frameHeader+maxFrame+1 {
			t.Errorf("another buffer, of %d bytes", len(again))
		}
	}
}

// TestFramesHaveAPace: bursts pass, more than the page's cameras give does not, and
// the pace recovers with time, never beyond the burst.
func TestFramesHaveAPace(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	p := pacer{last: now, left: frameBurst}
	admitted := func() (n int) {
		for p.allow(now) {
			n++
		}
		return n
	}
	if n := admitted(); n != frameBurst {
		t.Errorf("%d at once", n)
	}
	now = now.Add(time.Second)
	if n := admitted(); n != frameRate {
		t.Errorf("%d after a second", n)
	}
	now = now.Add(time.Hour)
	if n := admitted(); n != frameBurst {
		t.Errorf("%d after an hour", n)
	}
	now = now.Add(-time.Hour)
	if n := admitted(); n != 0 {
		t.Errorf("%d when the clock goes back", n)
	}
}
