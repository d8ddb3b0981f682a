package httpapi_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
)

// jpegFrame has a JPEG's first bytes; what follows tells the scripted check what to do.
func jpegFrame(what byte) []byte { return []byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 16, what} }

// runFace sends frames and returns the last message.
func (b *browser) runFace(frames ...[]byte) map[string]any {
	b.s.t.Helper()
	c := b.Face()
	if m := c.Next(); m["type"] != "instruction" {
		return m
	}
	for i, f := range frames {
		c.Frame(int64(i)*66, f)
	}
	return c.Last()
}

// face is a browser in front of its camera.
func (s *server) atFace() *browser {
	s.t.Helper()
	b := s.browser()
	b.Start("camera")
	if v := b.read(); v.State != proofing.StateFace {
		s.t.Fatalf("after reading: %+v", v)
	}
	return b
}

func TestALiveCheckTellsEachStepAndTheDecision(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.atFace()
	c := b.Face()
	if m := c.Next(); m["type"] != "instruction" || m["index"] != 0.0 || m["of"] != 2.0 || m["action"] != "center" || m["timeout_ms"] != 12000.0 {
		t.Fatalf("first: %v", m)
	}
	c.Frame(1000, jpegFrame(3))
	if m := c.Next(); m["type"] != "hint" || m["hint"] != "come_closer" {
		t.Fatalf("hint: %v", m)
	}
	c.Frame(1066, jpegFrame(2))
	if m := c.Next(); m["type"] != "step_done" || m["index"] != 0.0 {
		t.Fatalf("step: %v", m)
	}
	if m := c.Next(); m["type"] != "instruction" || m["index"] != 1.0 || m["action"] != "turnLeft" {
		t.Fatalf("second: %v", m)
	}
	c.Frame(1132, jpegFrame(1))
	if m := c.Next(); m["type"] != "step_done" || m["index"] != 1.0 {
		t.Fatalf("last step: %v", m)
	}
	if m := c.Next(); m["type"] != "decision" || m["accepted"] != true || m["reason"] != nil {
		t.Fatalf("decision: %v", m)
	}
	if _, _, err := c.WS.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the channel ends with %v", err)
	}
	if v := b.View(); v.State != proofing.StateAccount || v.Route != "" {
		t.Errorf("after the decision: %+v", v)
	}
	s.face.mu.Lock()
	defer s.face.mu.Unlock()
	if want := []time.Duration{0, 66 * time.Millisecond, 132 * time.Millisecond}; !slices.Equal(s.face.at, want) {
		t.Errorf("capture times %v, want %v", s.face.at, want)
	}
}

func TestAFrameThatArrivesDuringAnExaminationReplacesTheOneWaiting(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.face.hold, s.face.began = make(chan struct{}), make(chan struct{}, 16)
	b := s.atFace()
	c := b.Face()
	c.Next()
	c.Frame(0, jpegFrame(10))
	<-s.face.began
	for i := range 8 {
		c.Frame(int64(i+1)*66, jpegFrame(20+byte(i)))
	}
	// The server answers pings in order with the frames: it has read them all.
	ctx, cancel := context.WithTimeout(t.Context(), apitest.Patience)
	defer cancel()
	reading := c.WS.CloseRead(ctx)
	if err := c.WS.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	close(s.face.hold)
	<-s.face.began
	_ = reading
	s.face.mu.Lock()
	defer s.face.mu.Unlock()
	if want := []byte{10, 27}; !slices.Equal(s.face.seen, want) {
		t.Errorf("examined %v, want %v: the newest alone", s.face.seen, want)
	}
}

func TestUnusableFramesEndTheCheckWithAClearCode(t *testing.T) {
	t.Parallel()
	huge := make([]byte, 400<<10+1)
	copy(huge, jpegFrame(0))
	for name, c := range map[string]struct {
		send func(c *apitest.Channel)
		code string
	}{
		"not JPEG":        {func(c *apitest.Channel) { c.Frame(0, []byte("GIF89a, not a JPEG")) }, "invalid_request"},
		"too short":       {func(c *apitest.Channel) { _ = c.WS.Write(c.T.Context(), websocket.MessageBinary, []byte{1, 2, 3}) }, "invalid_request"},
		"too large":       {func(c *apitest.Channel) { c.Frame(0, huge) }, "too_large"},
		"text":            {func(c *apitest.Channel) { c.Text(`{"type":"start"}`) }, "invalid_request"},
		"time backwards":  {func(c *apitest.Channel) { c.Frame(100, jpegFrame(0)); c.Frame(99, jpegFrame(0)) }, "invalid_request"},
		"time far off":    {func(c *apitest.Channel) { c.Frame(0, jpegFrame(0)); c.Frame(1<<60, jpegFrame(0)) }, "invalid_request"},
		"too fast":        {func(c *apitest.Channel) { flood(c, 200) }, "rate_limited"},
		"a runtime fault": {func(c *apitest.Channel) { c.Frame(0, jpegFrame(4)) }, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := s.atFace()
			ch := b.Face()
			ch.Next()
			c.send(ch)
			if m := ch.Last(); m["type"] != "error" || m["code"] != c.code {
				t.Errorf("last message %v, want error %s", m, c.code)
			}
			v := b.Until(func(v proofing.View) bool { return v.Face != nil && v.Face.Phase == proofing.FaceFailed })
			if v.Face.AttemptsLeft != 3 || v.Face.Failure != proofing.ReasonConnectionLost {
				t.Errorf("half a state is left: %+v", v.Face)
			}
			if last := b.runFace(jpegFrame(1)); last["accepted"] != true {
				t.Errorf("the next run: %v", last)
			}
		})
	}
}

func flood(c *apitest.Channel, n int) {
	for i := range n {
		if !c.Frame(int64(i), jpegFrame(0)) {
			return
		}
	}
}

func TestARefusalNamesAReasonAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.face.refuse, s.face.decision = true, proofing.FaceDecision{Reason: proofing.ReasonNotLive}
	b := s.atFace()
	for left := 2; left >= 0; left-- {
		if m := b.runFace(jpegFrame(1)); m["accepted"] != false || m["reason"] != "not_live" || m["attempts_left"] != float64(left) {
			t.Fatalf("decision %v, want %d left", m, left)
		}
	}
	if v := b.View(); v.State != proofing.StateRefused || v.Result.Reason != proofing.ReasonNotLive {
		t.Errorf("after the last attempt: %+v", v)
	}
	if _, res, err := b.Dial(nil); err == nil {
		ch := b.Face()
		if m := ch.Last(); m["code"] != "wrong_state" {
			t.Errorf("a further run: %v", m)
		}
	} else {
		t.Errorf("no channel: %v %v", res, err)
	}
}

// TestAFullServerSaysWhenToComeBack fills the places of the service itself, by its
// default bound of four live checks at once.
func TestAFullServerSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	late := s.atFace()
	oldest := s.atFace()
	running := oldest.Face()
	running.Next()
	s.add(9 * time.Second)
	for range 3 {
		s.atFace().Face().Next()
	}
	// The oldest began 9 seconds ago, and a check usually takes 30.
	if m := late.Face().Last(); m["type"] != "busy" || m["retry_after_s"] != 21.0 {
		t.Errorf("a fifth check beside four: %v", m)
	}
	if v := late.View(); v.State != proofing.StateFace || v.Face.AttemptsLeft != 3 {
		t.Errorf("being told busy cost something: %+v", v)
	}
	_ = running.WS.CloseNow()
	oldest.Until(func(v proofing.View) bool { return v.Face != nil && v.Face.Phase == proofing.FaceFailed })
	if m := late.Face().Next(); m["type"] != "instruction" {
		t.Errorf("once there is room: %v", m)
	}
}

func TestAPageThatVanishesLeavesItsAttempt(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.atFace()
	c := b.Face()
	c.Next()
	c.Frame(0, jpegFrame(0))
	_ = c.WS.CloseNow()
	v := b.Until(func(v proofing.View) bool { return v.Face != nil && v.Face.Phase == proofing.FaceFailed })
	if v.Face.AttemptsLeft != 3 {
		t.Errorf("%d attempts left, want 3: a lost connection is given back", v.Face.AttemptsLeft)
	}
}

func TestTheChannelOpensForTheOwnPageAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.atFace()
	for name, header := range map[string]http.Header{
		"another origin": {"Origin": {"https://evil.example"}}, "no origin": {}, "a null origin": {"Origin": {"null"}},
		"another site": {"Origin": {s.url}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		if _, res, err := b.Dial(header); err == nil || res == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
	if _, res, err := s.browser().Dial(nil); err == nil || res == nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("without a check under way: %v %v", res, err)
	}
	c, _, err := b.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Frame(0, jpegFrame(1))
	if m := c.Last(); m["code"] != "invalid_request" {
		t.Errorf("a frame before start: %v", m)
	}
	if v := b.View(); v.Face == nil || v.Face.Phase != proofing.FaceReady || v.Face.AttemptsLeft != 3 {
		t.Errorf("an attempt was spent: %+v", v.Face)
	}
}

// The page is told each colour once; whoever declines the colours is shown none.
func TestColoursAreToldOnceAndMayBeDeclined(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.atFace()
	c := b.Face()
	c.Next()
	for i, what := range []byte{5, 5, 1} {
		c.Frame(int64(i)*66, jpegFrame(what))
		for i < 2 && len(s.face.seenSoFar()) <= i {
			time.Sleep(time.Millisecond)
		}
	}
	if m := c.Next(); m["type"] != "light" || m["colour"] != "#ff7070" {
		t.Fatalf("colour: %v", m)
	}
	if m := c.Next(); m["type"] != "step_done" {
		t.Fatalf("told twice, or nothing: %v", m)
	}

	b = s.atFace()
	c, _, err := b.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Text(`{"type":"start","light":false}`)
	c.Next()
	c.Frame(0, jpegFrame(5))
	for len(s.face.seenSoFar()) < 4 {
		time.Sleep(time.Millisecond)
	}
	c.Frame(66, jpegFrame(1))
	if m := c.Next(); m["type"] != "step_done" {
		t.Fatalf("declined: %v", m)
	}
}
