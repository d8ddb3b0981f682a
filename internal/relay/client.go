package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Card is a reader with a document on it: mrtd/chip.Card has these methods.
type Card = interface {
	// Transmit sends a command APDU and returns the response with SW1 SW2.
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// ClientConfig connects a reader. URL, Code and Card are required.
type ClientConfig struct {
	// URL of the server, e.g. https://ipse.example; Path is added when it has none.
	URL string
	// Code as the person's page shows it.
	Code string
	// Card is the reader.
	Card Card
	// Name of the kind of reader ("pcsc", "vpcd", "specimen"), for the operator's log.
	Name string
	// HTTPClient makes the connection; nil means http.DefaultClient. It must have no timeout.
	HTTPClient *http.Client
	// Lost tells whether an error of Card means that the document left the
	// reader; nil: every error means that the reader failed.
	Lost func(error) bool
	// Connected, if set, is called once the server has accepted the code.
	Connected func()
	// Exchanged, if set, is called after each command with how many there were so far.
	Exchanged func(commands int)
}

// dialFor bounds connecting and being welcomed.
const dialFor = 15 * time.Second

// Connect pairs the reader with a session and carries its commands until the
// server does not need it any more (nil), or ctx ends, or something fails: an
// *Error with ErrCode, ErrTooMany, ErrVersion, ErrBusy, ErrHandshake or ErrGone.
func Connect(ctx context.Context, cfg ClientConfig) error {
	target, err := endpoint(cfg.URL)
	if err != nil {
		return err
	}
	code, ok := parseCode(cfg.Code)
	if !ok {
		return &Error{kind: ErrCode}
	}
	if cfg.Card == nil {
		return errors.New("relay: no reader given")
	}
	ws, err := dial(ctx, target, code, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	if cfg.Connected != nil {
		cfg.Connected()
	}
	return serveCard(ctx, ws, cfg)
}

// endpoint turns a server's address into the relay's. The code is never part of it.
func endpoint(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.User != nil {
		return "", errors.New("relay: the server's address is not a URL")
	}
	switch u.Scheme {
	case "https", "wss":
		u.Scheme = "wss"
	case "http", "ws":
		u.Scheme = "ws"
	default:
		return "", errors.New("relay: the server's address is neither https nor http")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = Path
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String(), nil
}

func dial(ctx context.Context, target, code string, cfg ClientConfig) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, target, &websocket.DialOptions{HTTPClient: cfg.HTTPClient}) //nolint:bodyclose // the library says: no need
	if err != nil {
		return nil, fmt.Errorf("relay: connect: %w", err)
	}
	ws.SetReadLimit(maxMessage)
	if err := greetServer(ctx, ws, message{Type: typeHello, Protocol: Protocol, Code: code, Reader: cfg.Name}); err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return ws, nil
}

func greetServer(ctx context.Context, ws *websocket.Conn, hello message) error {
	raw, err := json.Marshal(hello)
	if err != nil {
		return fmt.Errorf("relay: hello: %w", err)
	}
	if err := ws.Write(ctx, websocket.MessageText, raw); err != nil {
		return &Error{kind: ErrGone}
	}
	kind, raw, err := ws.Read(ctx)
	if err != nil {
		return &Error{kind: ErrGone}
	}
	m, err := decodeMessage(raw)
	switch {
	case err != nil || kind != websocket.MessageText:
		return &Error{kind: ErrHandshake}
	case m.Type == typeWelcome && m.Protocol == Protocol:
		return nil
	case m.Type == typeRefused:
		return refusal(m)
	}
	return &Error{kind: ErrHandshake}
}

func refusal(m message) error {
	e := &Error{kind: ErrHandshake, RetryAfter: time.Duration(m.RetryAfter) * time.Second}
	switch m.Code {
	case refusedCode:
		e.kind = ErrCode
	case refusedTooMany:
		e.kind = ErrTooMany
	case refusedVersion:
		e.kind = ErrVersion
	case refusedBusy:
		e.kind = ErrBusy
	}
	return e
}

// serveCard answers commands until the server says bye.
func serveCard(ctx context.Context, ws *websocket.Conn, cfg ClientConfig) error {
	commands := 0
	reader := &courier{cfg: cfg}
	for {
		kind, raw, err := ws.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
			return nil
		case err != nil:
			return &Error{kind: ErrGone}
		}
		if kind == websocket.MessageText {
			m, err := decodeMessage(raw)
			if err == nil && m.Type == typeBye {
				_ = ws.Close(websocket.StatusNormalClosure, typeBye)
				return nil
			}
			continue
		}
		request, err := decodeFrame(raw, kindCommands)
		if err != nil {
			_ = ws.Close(websocket.StatusPolicyViolation, "malformed commands")
			return &Error{kind: ErrHandshake}
		}
		answer := reader.execute(ctx, request)
		commands += len(answer.items)
		out, err := answer.encode()
		if err != nil { // answers too large for one message: the chip misbehaves
			out, _ = frame{kind: kindAnswers, id: request.id, status: statusReaderLost}.encode()
		}
		if err := ws.Write(ctx, websocket.MessageBinary, out); err != nil {
			return &Error{kind: ErrGone}
		}
		if cfg.Exchanged != nil {
			cfg.Exchanged(commands)
		}
	}
}

// courier carries commands to the reader and knows how long they may be.
type courier struct {
	cfg              ClientConfig
	longWork, longNo bool // a command of extended length was answered; the reader failed at the first one
}

// execute runs the commands of one request in order, and stops after an answer
// that is not 9000 or when the reader fails.
func (c *courier) execute(ctx context.Context, request frame) frame {
	answer := frame{kind: kindAnswers, id: request.id}
	for i, command := range request.items {
		response, err := c.transmit(ctx, command)
		switch {
		case err != nil && c.cfg.Lost != nil && c.cfg.Lost(err):
			answer.status = statusCardLost
			return answer
		case err != nil || len(response) < minAnswer || len(response) > maxAnswer:
			answer.status = statusReaderLost
			return answer
		}
		answer.items = append(answer.items, response)
		ok := response[len(response)-2] == 0x90 && response[len(response)-1] == 0x00
		if !ok && i < len(request.items)-1 {
			answer.status = statusStopped
			return answer
		}
	}
	return answer
}

// transmit sends one command. Many readers fail at commands of extended length, as
// if the document had left: at the first one the answer is 6700 in their place, which
// the server understands. Had the document left indeed, the next command tells.
func (c *courier) transmit(ctx context.Context, command []byte) ([]byte, error) {
	long := len(command) > 5 && command[4] == 0 // ISO/IEC 7816-4 §5.1
	wrongLength := []byte{0x67, 0x00}
	if long && c.longNo {
		return wrongLength, nil
	}
	response, err := c.cfg.Card.Transmit(ctx, command)
	switch {
	case !long:
	case err == nil:
		c.longWork = true
	case !c.longWork && ctx.Err() == nil:
		c.longNo = true
		return wrongLength, nil
	}
	return response, err
}
