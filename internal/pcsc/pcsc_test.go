package pcsc

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// fakeService plays the system's service: states and results are scripted.
type fakeService struct {
	readers  []string
	listCode uint32
	states   map[string][]uint32 // successive states; the last one stays
	code     uint32              // of connect
	card     *fakeCard
	released atomic.Int32
	waits    atomic.Int32
	stop     chan struct{} // closed by cancel, where a test waits
}

func (f *fakeService) wait(string, uint32) uint32 {
	f.waits.Add(1)
	if f.stop == nil {
		return codeTimeout
	}
	<-f.stop
	return codeCancelled
}

func (f *fakeService) cancel() {
	if f.stop != nil {
		close(f.stop)
	}
}

func (f *fakeService) listReaders() ([]string, uint32) { return slices.Clone(f.readers), f.listCode }

func (f *fakeService) state(reader string) (uint32, uint32) {
	s := f.states[reader]
	if len(s) == 0 {
		return 0, codeUnknownReader
	}
	if len(s) > 1 {
		f.states[reader] = s[1:]
	}
	return s[0], codeSuccess
}

func (f *fakeService) connect(string) (cardService, uint32) {
	if f.code != codeSuccess {
		return nil, f.code
	}
	return f.card, codeSuccess
}

func (f *fakeService) release() { f.released.Add(1) }

type fakeCard struct {
	answer       []byte
	code         uint32
	begun        chan struct{} // gets each command that is held
	hold         chan struct{} // a command takes until it is closed
	let          chan bool     // gets how the card was let go of
	disconnected int
	reset        bool
}

func (c *fakeCard) transmit(_, response []byte) (int, uint32) {
	if c.hold != nil {
		c.begun <- struct{}{}
		<-c.hold
	}
	return copy(response, c.answer), c.code
}

func (c *fakeCard) disconnect(reset bool) {
	c.disconnected++
	c.reset = reset
	if c.let != nil {
		c.let <- reset
	}
}

func quick(f *fakeService) *Context {
	c := newContext(f)
	c.poll = time.Millisecond
	return c
}

func TestConnectWaitsForACard(t *testing.T) {
	t.Parallel()
	card := &fakeCard{answer: []byte{1, 2, 0x90, 0}}
	f := &fakeService{readers: []string{"Zeta 00", "Alpha NFC 00"}, card: card,
		states: map[string][]uint32{"Zeta 00": {statePresent}, "Alpha NFC 00": {0, 0, statePresent}}}
	c := quick(f)
	names, err := c.Readers()
	if err != nil || !slices.Equal(names, []string{"Alpha NFC 00", "Zeta 00"}) {
		t.Errorf("%v, %v", names, err)
	}
	got, err := c.Connect(t.Context(), "nfc")
	if err != nil || got.Reader() != "Alpha NFC 00" {
		t.Fatalf("%+v, %v", got, err)
	}
	response, err := got.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C})
	if err != nil || !bytes.Equal(response, card.answer) {
		t.Errorf("% x, %v", response, err)
	}
	if errors.Join(got.Close(), got.Close(), c.Close(), c.Close()) != nil || card.disconnected != 1 || !card.reset || f.released.Load() != 1 {
		t.Error("not let go of once")
	}
	if _, err := got.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C}); !errors.Is(err, ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	if _, err := c.Connect(t.Context(), ""); !errors.Is(err, ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func TestWaitingForACardEnds(t *testing.T) {
	t.Parallel()
	c := quick(&fakeService{readers: []string{"R"}, states: map[string][]uint32{"R": {0}}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Connect(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := c.Connect(t.Context(), "other"); !errors.Is(err, ErrNoReader) {
		t.Errorf("%v", err)
	}
}

func TestReturnCodesAreNamed(t *testing.T) {
	t.Parallel()
	present := map[string][]uint32{"R": {statePresent}}
	for code, want := range map[uint32]error{codeSharingViolation: ErrBusy, codeUnresponsiveCard: ErrUnresponsive,
		codeServiceStopped: ErrNoService, codeReaderUnavailable: ErrNoReader} {
		c := quick(&fakeService{readers: []string{"R"}, states: present, code: code})
		if _, err := c.Connect(t.Context(), ""); !errors.Is(err, want) {
			t.Errorf("%08X: %v", code, err)
		}
	}
	mute := quick(&fakeService{readers: []string{"R"}, states: map[string][]uint32{"R": {statePresent | stateMute}}})
	if _, err := mute.Connect(t.Context(), ""); !errors.Is(err, ErrUnresponsive) {
		t.Errorf("mute: %v", err)
	}
	if _, err := quick(&fakeService{listCode: codeNoService}).Connect(t.Context(), ""); !errors.Is(err, ErrNoService) {
		t.Errorf("no service: %v", err)
	}
	if names, err := quick(&fakeService{listCode: codeNoReaders}).Readers(); err != nil || len(names) != 0 {
		t.Errorf("no readers: %v, %v", names, err)
	}
	for code, lost := range map[uint32]bool{codeRemovedCard: true, codeResetCard: true, codeNotTransacted: true, codeNoService: false, 0x80100001: false} {
		fake := &fakeCard{code: code}
		card := &Card{owner: quick(&fakeService{}), svc: fake}
		if _, err := card.Transmit(t.Context(), make([]byte, 5)); err == nil || Lost(err) != lost {
			t.Errorf("%08X: %v", code, err)
		}
		if err := card.Close(); err != nil || fake.reset == lost {
			t.Errorf("%08X: reset %v, %v", code, fake.reset, err)
		}
	}
}

func TestTransmitRefusesWhatIsNoCommandOrResponse(t *testing.T) {
	t.Parallel()
	card := &Card{owner: quick(&fakeService{}), svc: &fakeCard{answer: []byte{0x90}}}
	if _, err := card.Transmit(t.Context(), make([]byte, 3)); err == nil {
		t.Error("a command of 3 octets")
	}
	if _, err := card.Transmit(t.Context(), make([]byte, 5)); err == nil {
		t.Error("a response of one octet")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := card.Transmit(ctx, make([]byte, 5)); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// TestACommandThatTakesForEverIsGivenUp: the caller is free at once; card and service
// are let go of when the reader has done, and not before.
func TestACommandThatTakesForEverIsGivenUp(t *testing.T) {
	t.Parallel()
	fake := &fakeCard{answer: []byte{0x90, 0}, begun: make(chan struct{}, 1), hold: make(chan struct{}), let: make(chan bool, 1)}
	f := &fakeService{readers: []string{"R"}, states: map[string][]uint32{"R": {statePresent}}, card: fake}
	c := quick(f)
	card, err := c.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancelled := make(chan error, 1)
	go func() {
		_, err := card.Transmit(ctx, make([]byte, 5))
		cancelled <- err
	}()
	<-fake.begun
	cancel(enough)
	if err := <-cancelled; !errors.Is(err, enough) {
		t.Errorf("given up: %v", err)
	}
	if _, err := card.Transmit(t.Context(), make([]byte, 5)); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	if err := errors.Join(card.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	close(fake.hold)
	if reset := <-fake.let; !reset {
		t.Error("the card keeps its session")
	}
	for f.released.Load() == 0 { // the service follows the card
		time.Sleep(time.Millisecond)
	}
}

// TestWaitingUsesTheServicesNotice: on a single reader the service tells when a card
// comes, and the end of the context ends that wait.
func TestWaitingUsesTheServicesNotice(t *testing.T) {
	t.Parallel()
	f := &fakeService{readers: []string{"R"}, states: map[string][]uint32{"R": {0x10}}, stop: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	end := make(chan error, 1)
	go func() {
		_, err := quick(f).Connect(ctx, "")
		end <- err
	}()
	for f.waits.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel(enough)
	if err := <-end; !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	<-f.stop // cancelled
}
