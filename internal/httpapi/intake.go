package httpapi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
)

// Limits of what a page may send in one live check.
const (
	maxFrame    = 400 << 10 // bytes of a JPEG: a picture of 640x480 has some 60 kB
	frameHeader = 8         // capture time, milliseconds since the start, big endian
	maxText     = 1 << 10   // bytes of a text message
	maxFrames   = 4000      // in all: more than four minutes at 15 a second
	frameRate   = 30        // a second, in the long run
	frameBurst  = 60        // at once: what a stalled network delivers together
	frameBufs   = 3         // one arrives, one waits, one is examined
)

// intake reads frames into its own three buffers, so that no copy of a picture
// is left to the garbage collector, and keeps the newest alone: a frame that
// arrives while another waits replaces it.
type intake struct {
	ws  *websocket.Conn
	now func() time.Time

	free    chan []byte         // empty buffers
	waiting chan proofing.Frame // at most one
	over    chan struct{}       // closed when reading has ended; nil until it begins

	mu    sync.Mutex // guards what follows
	bufs  [][]byte   // every buffer, for wipe
	cause error      // why reading ended
}

func newIntake(ws *websocket.Conn, now func() time.Time) *intake {
	return &intake{ws: ws, now: now, free: make(chan []byte, frameBufs), waiting: make(chan proofing.Frame, 1)}
}

// begin starts to read frames in the background. It is called once, by the
// goroutine that calls next and wipe. The connection's end is its end: a context
// that ends in the middle of a read would tear the connection down unsaid.
func (in *intake) begin(ctx context.Context) {
	in.over = make(chan struct{})
	go in.receive(ctx, in.over)
}

// buffer returns an empty buffer of the largest size. There is always one free:
// each of the three places holds at most one.
func (in *intake) buffer() []byte {
	select {
	case b := <-in.free:
		return b
	default:
	}
	b := make([]byte, frameHeader+maxFrame+1)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bufs = append(in.bufs, b)
	return b
}

// release takes back a buffer, or a part of it that begins at its frame, wiped.
func (in *intake) release(frame pii.Bytes) {
	frame.Wipe()
	b := frame.Reveal()
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, buf := range in.bufs {
		if cap(b) > 0 && &buf[:cap(buf)][cap(buf)-1] == &b[:cap(b)][cap(b)-1] { // the same array
			select {
			case in.free <- buf:
			default:
			}
			return
		}
	}
}

// wipe overwrites every buffer. The connection must be closed before.
func (in *intake) wipe() {
	if in.over != nil {
		<-in.over
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, b := range in.bufs {
		pii.Wipe(b)
	}
}

// read reads one message whole, into one of the buffers.
func (in *intake) read(ctx context.Context) (websocket.MessageType, []byte, error) {
	kind, r, err := in.ws.Reader(ctx)
	if err != nil {
		return 0, nil, errGone
	}
	limit := frameHeader + maxFrame
	if kind == websocket.MessageText {
		limit = maxText
	}
	b := in.buffer()
	n, err := io.ReadFull(r, b[:limit+1])
	switch {
	case err == nil:
		in.release(pii.NewBytes(b))
		return 0, nil, problem.New(problem.TooLarge, fmt.Errorf("a message of more than %d bytes", limit))
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return kind, b[:n], nil
	}
	in.release(pii.NewBytes(b))
	return 0, nil, errGone
}

// receive reads frames until something is wrong or ctx ends.
func (in *intake) receive(ctx context.Context, over chan<- struct{}) {
	defer close(over)
	defer func() {
		if fault := recover(); fault != nil { // the run ends, the server goes on; the value may be a picture
			in.mu.Lock()
			defer in.mu.Unlock()
			in.cause = fmt.Errorf("panic while receiving frames: %T", fault)
		}
	}()
	pace := pacer{last: in.now(), left: frameBurst}
	var first uint64
	for count := 0; ; count++ {
		kind, raw, err := in.read(ctx)
		if err == nil {
			err = in.accept(kind, raw, &first, count, &pace)
		}
		if err != nil {
			in.mu.Lock()
			in.cause = err
			in.mu.Unlock()
			return
		}
	}
}

// accept checks a frame and puts it in the waiting place. first is the capture
// time of the first frame, to which the others are relative.
func (in *intake) accept(kind websocket.MessageType, raw []byte, first *uint64, count int, pace *pacer) error {
	refuse := func(code problem.Code, why string) error {
		in.release(pii.NewBytes(raw))
		return problem.New(code, errors.New(why))
	}
	at := in.now()
	switch {
	case kind != websocket.MessageBinary:
		return refuse(problem.InvalidRequest, "a text message during the check")
	case count >= maxFrames:
		return refuse(problem.RateLimited, "more frames than a check takes")
	case !pace.allow(at):
		return refuse(problem.RateLimited, "frames too fast")
	case len(raw) < frameHeader+4 || raw[frameHeader] != 0xFF || raw[frameHeader+1] != 0xD8 || raw[frameHeader+2] != 0xFF:
		return refuse(problem.InvalidRequest, "a frame that is not JPEG")
	}
	captured := binary.BigEndian.Uint64(raw)
	if count == 0 {
		*first = captured
	}
	if captured < *first || captured-*first > uint64(time.Hour/time.Millisecond) {
		return refuse(problem.InvalidRequest, "a capture time out of range")
	}
	frame := proofing.Frame{JPEG: pii.NewBytes(raw[frameHeader:]), ReceivedAt: at,
		CapturedAt: time.Duration(captured-*first) * time.Millisecond}
	select {
	case old := <-in.waiting:
		in.release(old.JPEG)
	default:
	}
	in.waiting <- frame // one place, one sender: it is free
	return nil
}

// next waits for the newest frame. It is the caller's until release.
func (in *intake) next(ctx context.Context) (proofing.Frame, error) {
	idle := time.NewTimer(frameWithin)
	defer idle.Stop()
	select {
	case f := <-in.waiting:
		return f, nil
	case <-in.over:
		in.mu.Lock()
		defer in.mu.Unlock()
		return proofing.Frame{}, in.cause
	case <-ctx.Done():
		return proofing.Frame{}, errGone
	case <-idle.C:
		return proofing.Frame{}, problem.New(problem.InvalidRequest, errors.New("no frame for too long"))
	}
}

// pacer is a token bucket for frames.
type pacer struct {
	last time.Time
	left float64
}

func (p *pacer) allow(now time.Time) bool {
	p.left = min(frameBurst, p.left+max(0, now.Sub(p.last).Seconds())*frameRate)
	p.last = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}
