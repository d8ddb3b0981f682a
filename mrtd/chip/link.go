package chip

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/sm"
)

// link is the conversation with a chip, plain or under secure messaging.
type link struct {
	card    Card
	batch   BatchCard // nil where commands go one by one
	session *sm.Session

	commands, trips, max int
	extended             bool // the last commands sent had an extended length among them
	extendedWorks        bool // one was answered well, in full length
	transcript           *CATranscript
}

// answer is a response, and whether it came bare although a session was on.
type answer struct {
	apdu.Response
	bare bool
}

func newLink(card Card, limit int) *link {
	l := &link{card: card, max: limit}
	l.batch, _ = card.(BatchCard)
	return l
}

// wipe ends the session.
func (l *link) wipe() {
	l.session.Wipe()
	l.session, l.transcript = nil, nil
}

// send sends one command.
func (l *link) send(ctx context.Context, step string, c *apdu.Command) (*answer, error) {
	all, err := l.sendAll(ctx, step, []*apdu.Command{c})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// sendLong sends commands of which the last may have long data or a long answer: with
// extended length or, where chips and readers have none of that, in chains
// (ISO/IEC 7816-4 §5.3.3, §5.3.4). The answers are those of sendAll, of which a
// chain gives one: whole tells that the last command was answered.
func (r *reader) sendLong(ctx context.Context, step string, commands []*apdu.Command, answerSize int) (answers []*answer, whole bool, err error) {
	last := *commands[len(commands)-1]
	most := shortAES
	if r.link.session == nil {
		most = apdu.MaxShortData
	}
	if !r.quirks.short && (len(last.Data) > most || answerSize > r.shortChunk()) {
		last.Extended, last.Ne = true, extendedNe(last.Ne)
		commands = append(slices.Clone(commands[:len(commands)-1]), &last)
	} else {
		commands = append(slices.Clone(commands[:len(commands)-1]), last.Chain(most)...)
	}
	answers, err = r.link.sendAll(ctx, step, commands)
	return answers, len(answers) == len(commands), err
}

// extendedNe is Ne for an extended command: all there is, or nothing still.
func extendedNe(ne int) int {
	if ne > 0 {
		return apdu.MaxNe
	}
	return 0
}

// sendAll sends commands in order until one is not answered 9000, and returns the
// answers, at least one. At most MaxBatch commands.
func (l *link) sendAll(ctx context.Context, step string, commands []*apdu.Command) ([]*answer, error) {
	l.extended = false
	if l.session == nil {
		return l.sendPlain(ctx, step, commands)
	}
	raw := make([][]byte, len(commands))
	for i, c := range commands {
		p, err := l.session.Protect(c)
		if err != nil {
			return nil, failed(step, ErrSecureMessaging, err)
		}
		l.extended = l.extended || p.Extended
		if raw[i], err = p.Encode(); err != nil {
			return nil, failed(step, ErrLimit, err)
		}
	}
	responses, err := l.transmit(ctx, step, raw)
	if err != nil {
		return nil, err
	}
	answers := make([]*answer, len(responses))
	for i, b := range responses {
		if answers[i], err = l.open(step, raw[i], b); err != nil {
			return nil, at(i, err)
		}
		if answers[i].bare { // the session is over for the chip: what follows is nothing
			answers = answers[:i+1]
			break
		}
	}
	l.session.Rewind()
	return upToFailure(answers), nil
}

// open takes one response out of secure messaging and records it where a
// transcript is under way.
func (l *link) open(step string, command, response []byte) (*answer, error) {
	r, err := apdu.ParseResponse(response)
	if err != nil {
		return nil, failed(step, ErrAnswer, err)
	}
	bare := len(r.Data) == 0
	plain, err := l.session.Unprotect(r)
	if err != nil {
		return nil, failed(step, ErrSecureMessaging, err)
	}
	if !bare && l.transcript != nil {
		l.transcript.SSC = l.session.Counter()
		l.transcript.Command, l.transcript.Response = append([]byte(nil), command...), append([]byte(nil), response...)
		l.transcript = nil
	}
	return &answer{Response: *plain, bare: bare}, nil
}

// upToFailure cuts after the first answer that is not 9000.
func upToFailure(answers []*answer) []*answer {
	for i, a := range answers {
		if a.SW != apdu.OK {
			return answers[:i+1]
		}
	}
	return answers
}

// sendPlain sends commands without secure messaging.
func (l *link) sendPlain(ctx context.Context, step string, commands []*apdu.Command) ([]*answer, error) {
	raw := make([][]byte, len(commands))
	for i, c := range commands {
		var err error
		l.extended = l.extended || c.Extended || c.NeedsExtended()
		if raw[i], err = c.Encode(); err != nil {
			return nil, failed(step, ErrLimit, err)
		}
	}
	responses, err := l.transmit(ctx, step, raw)
	if err != nil {
		return nil, err
	}
	answers := make([]*answer, len(responses))
	for i, b := range responses {
		r, err := apdu.ParseResponse(b)
		if err != nil {
			return nil, failed(step, ErrAnswer, err)
		}
		if n := r.SW.ExactLe(); n > 0 && commands[i].Ne > 0 { // 6Cxx: the same again with the length it wants
			if r, err = l.again(ctx, step, commands[i], n); err != nil {
				return nil, err
			}
		}
		answers[i] = &answer{Response: *r}
	}
	return upToFailure(answers), nil
}

func (l *link) again(ctx context.Context, step string, c *apdu.Command, ne int) (*apdu.Response, error) {
	exact := *c
	exact.Ne = ne
	raw, err := exact.Encode()
	if err != nil {
		return nil, failed(step, ErrLimit, err)
	}
	responses, err := l.transmit(ctx, step, [][]byte{raw})
	if err != nil {
		return nil, err
	}
	r, err := apdu.ParseResponse(responses[0])
	if err != nil {
		return nil, failed(step, ErrAnswer, err)
	}
	return r, nil
}

// transmit carries encoded commands and collects chained answers (61xx).
func (l *link) transmit(ctx context.Context, step string, raw [][]byte) ([][]byte, error) {
	if l.batch == nil || len(raw) == 1 {
		var out [][]byte
		for i, command := range raw {
			response, err := l.one(ctx, step, command)
			if err != nil {
				return nil, at(i, err)
			}
			out = append(out, response)
			if !endsWell(response) {
				break
			}
		}
		return out, nil
	}
	if err := l.count(ctx, step, len(raw)); err != nil {
		return nil, err
	}
	out, err := l.batch.TransmitBatch(ctx, raw)
	if err != nil {
		return nil, l.lost(ctx, step, err)
	}
	if len(out) == 0 || len(out) > len(raw) {
		return nil, failed(step, ErrAnswer, errors.New("number of answers of a batch"))
	}
	last := len(out) - 1
	out[last], err = l.collect(ctx, step, out[last])
	return out, err
}

// at notes which of the commands sent together an error is about.
func at(command int, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.command = command
	}
	return err
}

func (l *link) one(ctx context.Context, step string, command []byte) ([]byte, error) {
	if err := l.count(ctx, step, 1); err != nil {
		return nil, err
	}
	response, err := l.card.Transmit(ctx, command)
	if err != nil {
		return nil, l.lost(ctx, step, err)
	}
	return l.collect(ctx, step, response)
}

// collect gets the rest of a response that the chip announces by 61xx (ISO/IEC
// 7816-4 §11.4.2): contact interfaces with T=0.
func (l *link) collect(ctx context.Context, step string, response []byte) ([]byte, error) {
	for n := len(response); n >= 2 && response[n-2] == 0x61; n = len(response) {
		if n > apdu.MaxResponse {
			return nil, failed(step, ErrLimit, nil)
		}
		if err := l.count(ctx, step, 1); err != nil {
			return nil, err
		}
		more, err := l.card.Transmit(ctx, []byte{0, 0xC0, 0, 0, response[n-1]})
		if err != nil {
			return nil, l.lost(ctx, step, err)
		}
		response = append(response[:n-2:n-2], more...)
	}
	return response, nil
}

// count keeps to the limits before anything is sent.
func (l *link) count(ctx context.Context, step string, n int) error {
	if err := ctx.Err(); err != nil {
		return failed(step, ErrCard, context.Cause(ctx))
	}
	l.commands += n
	l.trips++
	if l.commands > l.max {
		return failed(step, ErrLimit, fmt.Errorf("%d commands", l.max))
	}
	return nil
}

// lost wraps the cause of a lost card.
func (l *link) lost(ctx context.Context, step string, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	return failed(step, ErrCard, err)
}

func endsWell(response []byte) bool {
	n := len(response)
	return n >= 2 && response[n-2] == 0x90 && response[n-1] == 0
}
