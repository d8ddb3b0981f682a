package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/relay"
)

// clock is a hand-set clock.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type bench struct {
	hub   *relay.Hub
	url   string
	clock *clock
	log   *syncWriter
}

func newBench(t *testing.T, change ...func(*relay.Config)) *bench {
	t.Helper()
	b := &bench{clock: &clock{at: time.Unix(1_800_000_000, 0)}, log: &syncWriter{}}
	cfg := relay.Config{Now: b.clock.now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		TransmitFor: 2 * patience, PingEvery: 20 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	hub, err := relay.NewHub(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.hub = hub
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	t.Cleanup(hub.Close)
	b.url = server.URL
	return b
}

// syncWriter is a log that several goroutines write.
type syncWriter struct {
	mu sync.Mutex
	w  bytes.Buffer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func (s *syncWriter) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.String()
}

// pair issues a code and a channel of the reader's comings and goings.
func (b *bench) pair(t *testing.T, owner string) (string, chan bool) {
	t.Helper()
	changes := make(chan bool, 16)
	code, expires, err := b.hub.Pair(owner, func(on bool) { changes <- on })
	if err != nil {
		t.Fatal(err)
	}
	if len(code) != 11 || code[5] != '-' || !expires.Equal(b.clock.now().Add(5*time.Minute)) {
		t.Errorf("code %q until %v", code, expires)
	}
	return code, changes
}

type cardFunc func(ctx context.Context, command []byte) ([]byte, error)

func (f cardFunc) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return f(ctx, command)
}

// echo answers a command with its bytes and 9000.
func echo(_ context.Context, command []byte) ([]byte, error) {
	return append(bytes.Clone(command), 0x90, 0x00), nil
}

// connect runs a relay client until the test ends and returns how it ended.
func (b *bench) connect(t *testing.T, code string, card relay.Card, change ...func(*relay.ClientConfig)) chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	cfg := relay.ClientConfig{URL: b.url, Code: code, Card: card, Name: "specimen"}
	for _, f := range change {
		f(&cfg)
	}
	end := make(chan error, 1)
	go func() { end <- relay.Connect(ctx, cfg) }()
	return end
}

// patience is how long a test waits for what must happen, on a busy machine, too.
const patience = time.Minute

func wait[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

func ready(t *testing.T, b *bench, owner string, card relay.Card) (relay.Card, chan bool, chan error) {
	t.Helper()
	code, changes := b.pair(t, owner)
	end := b.connect(t, code, card)
	if !wait(t, changes) {
		t.Fatal("the first change is not a connection")
	}
	reader, ok := b.hub.Reader(owner)
	if !ok {
		t.Fatal("no reader after it connected")
	}
	return reader, changes, end
}

func TestCommandsReachTheReaderAndItsAnswersComeBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reader, _, end := ready(t, b, "s-1", cardFunc(echo))
	for _, size := range []int{4, 5, 255, 300, 65_544 - 8} {
		command := make([]byte, size)
		if _, err := rand.Read(command); err != nil {
			t.Fatal(err)
		}
		got, err := reader.Transmit(context.Background(), command)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(got, append(command, 0x90, 0x00)) {
			t.Errorf("%d bytes: the answer differs", size)
		}
	}
	b.hub.Release("s-1")
	if err := wait(t, end); err != nil {
		t.Errorf("a released reader ends with %v", err)
	}
	if _, ok := b.hub.Reader("s-1"); ok {
		t.Error("the reader is still there after its release")
	}
	if _, err := reader.Transmit(context.Background(), []byte{0, 0xA4, 0, 0}); !errors.Is(err, relay.ErrGone) {
		t.Errorf("a released card answers %v", err)
	}
}

func TestBatchStopsAtTheFirstAnswerThatIsNot9000(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var mu sync.Mutex
	sent := 0
	reader, _, _ := ready(t, b, "s-1", cardFunc(func(_ context.Context, command []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		sent++
		if command[3] == 2 {
			return []byte{0x6A, 0x82}, nil
		}
		return []byte{command[3], 0x90, 0x00}, nil
	}))
	batch := reader.(interface {
		TransmitBatch(ctx context.Context, commands [][]byte) ([][]byte, error)
	})
	answers, err := batch.TransmitBatch(context.Background(), [][]byte{{0, 0, 0, 1}, {0, 0, 0, 2}, {0, 0, 0, 3}})
	if err != nil || len(answers) != 2 || !bytes.Equal(answers[1], []byte{0x6A, 0x82}) {
		t.Fatalf("answers %x, err %v", answers, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if sent != 2 {
		t.Errorf("%d commands reached the chip, want 2", sent)
	}
	for name, commands := range map[string][][]byte{"none": {}, "too many": make([][]byte, 17), "too short": {{0, 1, 2}}, "too long": {make([]byte, 65_545)}} {
		if _, err := batch.TransmitBatch(context.Background(), commands); !errors.Is(err, relay.ErrCommand) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCodeServesOnceAndForFiveMinutes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	code, changes := b.pair(t, "s-1")
	b.connect(t, strings.Replace(code, "-", " ", 1), cardFunc(echo))
	wait(t, changes)
	if err := wait(t, b.connect(t, code, cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
		t.Errorf("a used code: %v", err)
	}
	late, _ := b.pair(t, "s-2")
	b.clock.add(5 * time.Minute)
	if err := wait(t, b.connect(t, late, cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
		t.Errorf("an expired code: %v", err)
	}
	old, _ := b.pair(t, "s-3")
	fresh, changes3 := b.pair(t, "s-3")
	if err := wait(t, b.connect(t, old, cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
		t.Errorf("a replaced code: %v", err)
	}
	b.connect(t, fresh, cardFunc(echo))
	if !wait(t, changes3) {
		t.Error("the fresh code does not connect")
	}
	for _, typed := range []string{"", "ACDE", "ACDEF-GHJK0", "ACDEFGHJKMN"} {
		if err := wait(t, b.connect(t, typed, cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) { c.WrongCodes = 3 })
	code, changes := b.pair(t, "s-1")
	const wrong = "22222-22222"
	for range 3 {
		if err := wait(t, b.connect(t, wrong, cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
			t.Fatalf("a wrong code: %v", err)
		}
	}
	err := wait(t, b.connect(t, code, cardFunc(echo)))
	var e *relay.Error
	if !errors.Is(err, relay.ErrTooMany) || !errors.As(err, &e) || e.RetryAfter <= 0 || e.RetryAfter > time.Minute {
		t.Fatalf("after three wrong codes: %v", err)
	}
	b.clock.add(time.Minute)
	b.connect(t, code, cardFunc(echo))
	if !wait(t, changes) {
		t.Error("a minute later the right code does not connect")
	}
	if strings.Contains(b.log.String(), strings.ReplaceAll(code, "-", "")) || strings.Contains(b.log.String(), code) {
		t.Error("a code is in the log")
	}
}

func TestAVanishedReaderIsNoticedInMidCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	code, changes := b.pair(t, "s-1")
	ctx, vanish := context.WithCancel(context.Background())
	defer vanish()
	started := make(chan struct{})
	go func() {
		_ = relay.Connect(ctx, relay.ClientConfig{URL: b.url, Code: code, Card: cardFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			close(started)
			<-ctx.Done()
			return nil, ctx.Err()
		})})
	}()
	wait(t, changes)
	reader, _ := b.hub.Reader("s-1")
	result := make(chan error, 1)
	go func() {
		_, err := reader.Transmit(context.Background(), []byte{0, 0xB0, 0, 0})
		result <- err
	}()
	wait(t, started)
	begin := time.Now()
	vanish()
	err := wait(t, result)
	var lost interface{ ReaderLost() bool }
	if !errors.Is(err, relay.ErrGone) || !errors.As(err, &lost) || !lost.ReaderLost() {
		t.Errorf("err = %v", err)
	}
	if took := time.Since(begin); took > patience { // the command itself would wait for two
		t.Errorf("it took %v to notice", took)
	}
	if wait(t, changes) {
		t.Error("the owner is not told")
	}
	if _, ok := b.hub.Reader("s-1"); ok {
		t.Error("the reader is still offered")
	}
}

// raw connects by hand, says a good hello and returns the socket.
func raw(t *testing.T, b *bench, code string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, b.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(1 << 20)
	hello := fmt.Sprintf(`{"type":"hello","protocol":"ipse-relay/1","code":"%s"}`, code)
	if err := ws.Write(ctx, websocket.MessageText, []byte(hello)); err != nil {
		t.Fatal(err)
	}
	if _, m, err := ws.Read(ctx); err != nil || !strings.Contains(string(m), `"welcome"`) {
		t.Fatalf("answer %s, %v", m, err)
	}
	return ws
}

func TestASilentReaderIsNoticed(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) { c.PingEvery = 100 * time.Millisecond })
	code, changes := b.pair(t, "s-1")
	raw(t, b, code) // never reads again, so it never answers a ping
	wait(t, changes)
	if wait(t, changes) {
		t.Error("the first change after the connection is another connection")
	}
}

func TestMalformedAnswersEndTheConnection(t *testing.T) {
	t.Parallel()
	cases := map[string][]byte{
		"cut header":     {0x02, 0, 0, 0},
		"another kind":   {0x01, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0x90, 0},
		"cut answer":     {0x02, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0x90, 0},
		"one byte":       {0x02, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0x90},
		"left over":      {0x02, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0x90, 0, 7},
		"none":           {0x02, 0, 0, 0, 1, 0, 0},
		"two for one":    {0x02, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 0x90, 0, 0, 0, 0, 2, 0x90, 0},
		"future request": {0x02, 0, 0, 0, 9, 0, 1, 0, 0, 0, 2, 0x90, 0},
		"unknown status": {0x02, 0, 0, 0, 1, 9, 1, 0, 0, 0, 2, 0x90, 0},
		"oversized":      make([]byte, 300<<10),
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			code, changes := b.pair(t, "s-1")
			ws := raw(t, b, code)
			wait(t, changes)
			reader, _ := b.hub.Reader("s-1")
			result := make(chan error, 1)
			go func() {
				_, err := reader.Transmit(context.Background(), []byte{0, 0xB0, 0, 0})
				result <- err
			}()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if _, _, err := ws.Read(ctx); err != nil {
				t.Fatal(err)
			}
			_ = ws.Write(ctx, websocket.MessageBinary, answer) // the hub may cut it off in the middle
			if err := wait(t, result); !errors.Is(err, relay.ErrAnswer) {
				t.Errorf("err = %v", err)
			}
			if wait(t, changes) {
				t.Error("the owner is not told")
			}
		})
	}
}

func TestWhatIsNotAHelloIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	code, _ := b.pair(t, "s-1")
	for name, tt := range map[string]struct {
		kind websocket.MessageType
		text string
		want string
	}{
		"not JSON":      {websocket.MessageText, "hello", "bad_hello"},
		"binary":        {websocket.MessageBinary, `{"type":"hello","protocol":"ipse-relay/1","code":"` + code + `"}`, "bad_hello"},
		"another type":  {websocket.MessageText, `{"type":"welcome"}`, "bad_hello"},
		"later version": {websocket.MessageText, `{"type":"hello","protocol":"ipse-relay/9","code":"` + code + `"}`, "unknown_protocol"},
		"no code":       {websocket.MessageText, `{"type":"hello","protocol":"ipse-relay/1"}`, "wrong_code"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		ws, _, err := websocket.Dial(ctx, b.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(ctx, tt.kind, []byte(tt.text)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := ws.Read(ctx)
		if err != nil || !strings.Contains(string(answer), `"refused"`) || !strings.Contains(string(answer), tt.want) {
			t.Errorf("%s: answer %s, %v", name, answer, err)
		}
		_ = ws.CloseNow()
		cancel()
	}
	if _, ok := b.hub.Reader("s-1"); ok {
		t.Error("one of them was connected")
	}
}

// TestReadersWithoutExtendedLengthAreSpokenFor: a reader that fails at the first long
// command has it refused by its length, and goes on with short ones; one that took a
// long command before has failed.
func TestReadersWithoutExtendedLengthAreSpokenFor(t *testing.T) {
	t.Parallel()
	short, long := []byte{0, 0xB0, 0x9C, 0, 0}, []byte{0, 0xB0, 0x9C, 0, 0, 1, 0}
	b := newBench(t)
	var asked atomic.Int32
	reader, _, _ := ready(t, b, "s-1", cardFunc(func(ctx context.Context, command []byte) ([]byte, error) {
		if len(command) > 5 {
			asked.Add(1)
			return nil, errors.New("the reader takes no such command")
		}
		return echo(ctx, command)
	}))
	batch, ok := reader.(interface {
		TransmitBatch(ctx context.Context, commands [][]byte) ([][]byte, error)
	})
	if !ok {
		t.Fatal("no batches")
	}
	for range 2 {
		got, err := batch.TransmitBatch(t.Context(), [][]byte{short, long, short})
		if err != nil || len(got) != 2 || !bytes.Equal(got[1], []byte{0x67, 0x00}) {
			t.Fatalf("% x, %v", got, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the reader was asked %d times", asked.Load())
	}
	if _, err := reader.Transmit(t.Context(), short); err != nil {
		t.Errorf("a short command afterwards: %v", err)
	}
	var once atomic.Bool
	reader, _, _ = ready(t, b, "s-2", cardFunc(func(ctx context.Context, command []byte) ([]byte, error) {
		if once.Swap(true) {
			return nil, errors.New("failed")
		}
		return echo(ctx, command)
	}))
	if _, err := reader.Transmit(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Transmit(t.Context(), long); !errors.Is(err, relay.ErrGone) {
		t.Errorf("a failure after a long command was answered: %v", err)
	}
}

func TestReaderFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gone := errors.New("no card")
	code, changes := b.pair(t, "s-1")
	b.connect(t, code, cardFunc(func(_ context.Context, command []byte) ([]byte, error) {
		switch command[3] {
		case 1:
			return nil, gone
		case 2:
			return nil, errors.New("reader broken")
		case 3:
			return []byte{0x90}, nil // cut
		}
		return make([]byte, 65_539), nil // oversized
	}), func(c *relay.ClientConfig) { c.Lost = func(err error) bool { return errors.Is(err, gone) } })
	wait(t, changes)
	reader, _ := b.hub.Reader("s-1")
	for i, want := range []error{relay.ErrCardLost, relay.ErrGone, relay.ErrGone, relay.ErrGone} {
		if _, err := reader.Transmit(context.Background(), []byte{0, 0, 0, byte(i + 1)}); !errors.Is(err, want) {
			t.Errorf("command %d: %v, want %v", i+1, err, want)
		}
	}
	_, err := reader.Transmit(context.Background(), []byte{0, 0, 0, 1})
	var card interface{ CardLost() bool }
	if !errors.As(err, &card) || !card.CardLost() {
		t.Errorf("a lost card does not say so: %v", err)
	}
}

func TestACancelledCommandLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hold := make(chan struct{})
	reader, _, _ := ready(t, b, "s-1", cardFunc(func(_ context.Context, command []byte) ([]byte, error) {
		if command[3] == 1 {
			<-hold
		}
		return []byte{command[3], 0x90, 0x00}, nil
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := reader.Transmit(ctx, []byte{0, 0, 0, 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("err = %v", err)
	}
	close(hold)
	got, err := reader.Transmit(context.Background(), []byte{0, 0, 0, 2})
	if err != nil || !bytes.Equal(got, []byte{2, 0x90, 0}) {
		t.Errorf("the next command gets %x, %v: a late answer was taken for it", got, err)
	}
}

func TestReplacedReaderIsLetGo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, changes, end := ready(t, b, "s-1", cardFunc(echo))
	code, fresh := b.pair(t, "s-1")
	if err := wait(t, end); err != nil {
		t.Errorf("the first reader ends with %v", err)
	}
	b.connect(t, code, cardFunc(echo))
	if !wait(t, fresh) {
		t.Error("the second does not connect")
	}
	select {
	case on := <-changes:
		t.Errorf("the replaced pairing reports %v", on)
	default:
	}
}

func TestAnotherSitesPageIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _, err := websocket.Dial(ctx, b.url, &websocket.DialOptions{HTTPHeader: map[string][]string{"Origin": {"https://elsewhere.example"}}})
	if err == nil {
		t.Error("a page of another origin was accepted")
	}
}

func TestBoundsAreHonest(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) { c.MaxOwners = 1 })
	b.pair(t, "s-1")
	_, _, err := b.hub.Pair("s-2", func(bool) {})
	var e *relay.Error
	if !errors.Is(err, relay.ErrBusy) || !errors.As(err, &e) || e.RetryAfter <= 0 {
		t.Errorf("err = %v", err)
	}
	b.clock.add(5 * time.Minute)
	if _, _, err := b.hub.Pair("s-2", func(bool) {}); err != nil {
		t.Errorf("after the first code expired: %v", err)
	}
	b.hub.Close()
	if _, _, err := b.hub.Pair("s-3", func(bool) {}); !errors.Is(err, relay.ErrBusy) {
		t.Errorf("after Close: %v", err)
	}
}

func TestConnectRefusesUnusableAddresses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "ipse.example", "ftp://ipse.example", "https://user:pw@ipse.example", "http://%zz"} {
		if err := relay.Connect(context.Background(), relay.ClientConfig{URL: url, Code: "ACDEF-GHJKM", Card: cardFunc(echo)}); err == nil {
			t.Errorf("%q: accepted", url)
		}
	}
	if err := relay.Connect(context.Background(), relay.ClientConfig{URL: "http://127.0.0.1:1", Code: "ACDEF-GHJKM"}); err == nil {
		t.Error("no card: accepted")
	}
}

func TestNewHubRefusesIncompleteConfiguration(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]relay.Config{
		"empty": {}, "negative": {Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), MaxOwners: -1},
	} {
		if _, err := relay.NewHub(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
