package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/fair"
	"ipse/internal/pii"
)

// helloFor is how long a connection may take to send its code.
const helloFor = 10 * time.Second

// writeFor bounds the writing of one message.
const writeFor = 10 * time.Second

// ServeHTTP accepts a reader's WebSocket, checks its code and carries commands
// until the reader is released or lost.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client := h.cfg.Client(r)
	greeted, ok := h.greetings.Enter(client)
	if !ok {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	defer greeted()
	ws, err := websocket.Accept(w, r, nil) // refuses another site's pages by their Origin
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(maxText) // until the code is good
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	conn := &serverConn{ws: ws, hub: h, done: make(chan struct{}), turn: make(chan struct{}, 1)}
	s, err := h.greet(ctx, conn, client)
	if err != nil {
		return
	}
	greeted()
	ws.SetReadLimit(maxMessage)
	s.changed(true)
	go conn.ping(ctx)
	conn.read(ctx)
	if h.lost(s, conn) {
		s.changed(false)
	}
}

// greet reads the hello, claims its code and answers.
func (h *Hub) greet(ctx context.Context, conn *serverConn, client fair.Client) (*slot, error) {
	hello, cancel := context.WithTimeout(ctx, helloFor)
	defer cancel()
	kind, raw, err := conn.ws.Read(hello)
	if err != nil {
		return nil, err
	}
	m, err := decodeMessage(raw)
	code, wellFormed := parseCode(m.Code)
	switch {
	case err != nil || kind != websocket.MessageText || m.Type != typeHello:
		return nil, conn.refuse(ctx, message{Code: refusedHello})
	case m.Protocol != Protocol:
		return nil, conn.refuse(ctx, message{Code: refusedVersion})
	}
	if wait := h.wrong.Wait(client, 1, h.cfg.Now()); wait > 0 {
		return nil, conn.refuse(ctx, message{Code: refusedTooMany, RetryAfter: int(wait.Seconds() + 0.999)})
	}
	if !wellFormed {
		code = "" // hashed all the same
	}
	s, err := h.claim(code, conn)
	if err != nil {
		h.wrong.Take(client, 1, h.cfg.Now())
		h.cfg.Log.InfoContext(ctx, "relay refused", "reason", refusedCode)
		return nil, conn.refuse(ctx, message{Code: refusedCode})
	}
	if err := conn.send(ctx, message{Type: typeWelcome, Protocol: Protocol, MaxBatch: MaxBatch}); err != nil {
		if h.lost(s, conn) {
			s.changed(false)
		}
		return nil, err
	}
	return s, nil
}

// serverConn is a connected reader, seen by the server as a card.
type serverConn struct {
	ws   *websocket.Conn
	hub  *Hub
	done chan struct{} // closed when the connection is over
	turn chan struct{} // holds one while a command is under way

	mu      sync.Mutex // guards what follows
	id      uint32     // of the last request
	pending chan frame // takes the answer to it, or nil
	ended   bool
	cause   error // why it is over
}

// Transmit sends a command to the chip and returns its response.
func (c *serverConn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	answers, err := c.TransmitBatch(ctx, [][]byte{command})
	if err != nil {
		return nil, err
	}
	return answers[0], nil
}

// TransmitBatch sends up to MaxBatch commands in one message. The reader stops
// after the first answer that is not 9000: then fewer answers than commands
// return, without an error. There is always at least one answer.
func (c *serverConn) TransmitBatch(ctx context.Context, commands [][]byte) ([][]byte, error) {
	for _, command := range commands {
		if len(command) < minCommand || len(command) > maxCommand {
			return nil, &Error{kind: ErrCommand}
		}
	}
	if len(commands) == 0 || len(commands) > MaxBatch {
		return nil, &Error{kind: ErrCommand}
	}
	select { // one request at a time; waiting honours the context
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-c.done:
		return nil, c.err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	pending := make(chan frame, 1)
	c.mu.Lock()
	c.id++
	request := frame{kind: kindCommands, id: c.id, items: commands}
	c.pending = pending
	c.mu.Unlock()
	raw, err := request.encode()
	if err != nil {
		return nil, &Error{kind: ErrCommand}
	}
	if err := c.write(websocket.MessageBinary, raw); err != nil {
		return nil, c.err()
	}
	return c.await(ctx, pending, len(commands))
}

func (c *serverConn) await(ctx context.Context, pending chan frame, commands int) ([][]byte, error) {
	timer := time.NewTimer(time.Duration(commands) * c.hub.cfg.TransmitFor)
	defer timer.Stop()
	select {
	case answer := <-pending:
		return c.answers(answer, commands)
	case <-timer.C:
		c.end(&Error{kind: ErrGone})
		return nil, c.err()
	case <-c.done:
		return nil, c.err()
	case <-ctx.Done(): // the answer, when it comes, is dropped by its number
		return nil, ctx.Err()
	}
}

func (c *serverConn) answers(answer frame, commands int) ([][]byte, error) {
	n := len(answer.items)
	switch answer.status {
	case statusDone:
		if n == commands {
			return answer.items, nil
		}
	case statusStopped:
		if n > 0 && n <= commands {
			return answer.items, nil
		}
	case statusCardLost:
		return nil, &Error{kind: ErrCardLost}
	case statusReaderLost:
		return nil, &Error{kind: ErrGone}
	}
	c.end(&Error{kind: ErrAnswer})
	return nil, c.err()
}

// read takes answers until the connection is over.
func (c *serverConn) read(ctx context.Context) {
	for {
		kind, raw, err := c.ws.Read(ctx)
		if err != nil {
			cause := ErrGone
			if websocket.CloseStatus(err) == -1 && errors.Is(err, websocket.ErrMessageTooBig) {
				cause = ErrAnswer
			}
			c.end(&Error{kind: cause})
			return
		}
		if kind == websocket.MessageText {
			continue // a later version's news
		}
		answer, err := decodeFrame(raw, kindAnswers)
		if err != nil || !c.deliver(answer) {
			c.end(&Error{kind: ErrAnswer})
			return
		}
	}
}

// deliver hands an answer to its request. An answer to an earlier request,
// given up meanwhile, is dropped; one to no request is a fault of the reader.
func (c *serverConn) deliver(answer frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case answer.id == c.id && c.pending != nil:
		c.pending <- answer // has room for one
		c.pending = nil
		return true
	default:
		return answer.id < c.id
	}
}

// ping finds out that a silent reader is gone.
func (c *serverConn) ping(ctx context.Context) {
	defer c.end(&Error{kind: ErrGone}) // also after a panic, which is this connection's trouble alone
	defer pii.Contain(ctx, c.hub.cfg.Log, "ping of a reader")
	tick := time.NewTicker(c.hub.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			probe, cancel := context.WithTimeout(ctx, c.hub.cfg.PingEvery)
			err := c.ws.Ping(probe)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

func (c *serverConn) write(kind websocket.MessageType, raw []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeFor)
	defer cancel()
	if err := c.ws.Write(ctx, kind, raw); err != nil {
		c.end(&Error{kind: ErrGone})
		return err
	}
	return nil
}

func (c *serverConn) send(_ context.Context, m message) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return c.write(websocket.MessageText, raw)
}

func (c *serverConn) refuse(ctx context.Context, m message) error {
	m.Type = typeRefused
	_ = c.send(ctx, m)
	_ = c.ws.Close(websocket.StatusPolicyViolation, m.Code)
	return &Error{kind: ErrCode}
}

// end marks the connection as over, once, and cuts it. Whoever waits for an
// answer gets cause at once.
func (c *serverConn) end(cause error) {
	c.mu.Lock()
	first := !c.ended
	if first {
		c.ended, c.cause = true, cause
		close(c.done)
	}
	c.mu.Unlock()
	if first {
		go func() { _ = c.ws.CloseNow() }() // may wait for a write under way
	}
}

// close tells the reader that it is not needed any more and ends; nil is no connection.
func (c *serverConn) close(why string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	first := !c.ended
	if first {
		c.ended, c.cause = true, &Error{kind: ErrGone}
		close(c.done)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	go func() { // the caller holds locks and must not wait for the network
		_ = c.send(context.Background(), message{Type: why})
		_ = c.ws.Close(websocket.StatusNormalClosure, why)
	}()
}

func (c *serverConn) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *serverConn) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		return &Error{kind: ErrGone}
	}
	return c.cause
}
