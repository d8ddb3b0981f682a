package chip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ipse/internal/pii/piitest"
	"ipse/mrtd/chip"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/tlv"
)

// openCard is a document that anyone may read, without any access control, so that
// the reading of files can be looked at by itself.
type openCard struct {
	files   map[lds.FileID][]byte
	current lds.FileID

	noSFI      bool // no short file identifiers
	noExtended bool
	chained    bool // gives 100 octets at once and announces the rest by 61xx
	exactLe    bool // wants exact lengths, 6Cxx
	warns      bool // says 6282 where fewer octets follow than asked for
	most       int  // gives no more octets at once, 0 for all
	selectSW   apdu.Status
	pending    []byte
	commands   int
	spoil      func(n int, command []byte, response []byte) ([]byte, error)
}

func newOpenCard(portrait int) *openCard {
	body := func(id lds.FileID, n int) []byte {
		content := make([]byte, n)
		for i := range content {
			content[i] = byte(i * 7)
		}
		return tlv.Encode(tlv.Tag(id.Tag()), content)
	}
	return &openCard{selectSW: apdu.OK, files: map[lds.FileID][]byte{
		lds.COM: tlv.Encode(0x60, tlv.Encode(0x5F01, []byte("0107")), tlv.Encode(0x5F36, []byte("040000")), tlv.Encode(0x5C, []byte{0x61, 0x75, 0x6B})),
		lds.SOD: body(lds.SOD, 900), lds.DG1: body(lds.DG1, 93), lds.DG2: body(lds.DG2, portrait), lds.DG11: body(lds.DG11, 40),
	}}
}

func (o *openCard) Transmit(_ context.Context, command []byte) ([]byte, error) {
	o.commands++
	c, err := apdu.Parse(command)
	if err != nil {
		return nil, err
	}
	r := o.answer(c)
	out := r.Encode()
	if o.spoil != nil {
		return o.spoil(o.commands, command, out)
	}
	return out, nil
}

func (o *openCard) answer(c *apdu.Command) *apdu.Response {
	if o.noExtended && c.Extended {
		return &apdu.Response{SW: apdu.WrongLength}
	}
	switch c.INS {
	case 0xA4:
		return &apdu.Response{SW: o.choose(c)}
	case 0xB0, 0xB1:
		return o.read(c)
	case 0xC0:
		return o.give(o.pending, c.Ne)
	}
	return &apdu.Response{SW: apdu.UnknownINS}
}

func (o *openCard) choose(c *apdu.Command) apdu.Status {
	if c.P1 == 4 {
		return o.selectSW
	}
	for id := range o.files {
		if c.P1 == 2 && len(c.Data) == 2 && binary.BigEndian.Uint16(c.Data) == id.FID() {
			o.current = id
			return apdu.OK
		}
	}
	return apdu.FileNotFound
}

func (o *openCard) read(c *apdu.Command) *apdu.Response {
	offset := int(c.P1)<<8 | int(c.P2)
	switch {
	case c.INS == 0xB1:
		e, err := tlv.Parse(c.Data)
		if err != nil || e.Tag != 0x54 {
			return &apdu.Response{SW: apdu.WrongData}
		}
		offset = 0
		for _, b := range e.Value {
			offset = offset<<8 | int(b)
		}
	case c.P1&0x80 != 0:
		offset, o.current = int(c.P2), ""
		for id := range o.files {
			if id.SFI() == c.P1&0x1F && !o.noSFI {
				o.current = id
			}
		}
		if o.noSFI {
			return &apdu.Response{SW: apdu.WrongP1P2}
		}
	}
	content, ok := o.files[o.current]
	if !ok {
		return &apdu.Response{SW: apdu.FileNotFound}
	}
	if offset >= len(content) {
		return &apdu.Response{SW: apdu.WrongOffset}
	}
	rest := content[offset:]
	if c.INS == 0xB1 {
		most := c.Ne
		if o.most > 0 {
			most = min(most, o.most)
		}
		n := min(len(rest), most-2)
		for len(tlv.AppendHeader(nil, 0x53, n))+n > most {
			n--
		}
		rest = tlv.Encode(0x53, rest[:n])
	}
	if o.exactLe && c.Ne > len(rest) {
		return &apdu.Response{SW: apdu.Status(0x6C00 | len(rest)&0xFF)}
	}
	part := rest[:min(len(rest), c.Ne)]
	if o.most > 0 {
		part = part[:min(len(part), o.most)]
	}
	if o.warns && len(part) < c.Ne {
		return &apdu.Response{Data: part, SW: apdu.EndOfFile}
	}
	return o.give(part, c.Ne)
}

func (o *openCard) give(b []byte, ne int) *apdu.Response {
	if o.chained && len(b) > 100 {
		o.pending = b[100:]
		return &apdu.Response{Data: b[:100], SW: apdu.Status(0x6100 | min(len(o.pending), 255))}
	}
	return &apdu.Response{Data: b[:min(len(b), ne)], SW: apdu.OK}
}

func anyone() chip.Options {
	return chip.Options{Rand: rand.Reader, Extra: []lds.FileID{lds.DG11, lds.DG12},
		Access: chip.FromPrinted("L898902C3", "740812", "120415")}
}

// TestFiles: whatever the chip's habits, files come out whole.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(o *openCard){
		"plain":           func(*openCard) {},
		"no short id":     func(o *openCard) { o.noSFI = true },
		"no extended":     func(o *openCard) { o.noExtended = true },
		"chained answers": func(o *openCard) { o.chained = true },
		"exact lengths":   func(o *openCard) { o.exactLe = true },
		"warnings":        func(o *openCard) { o.warns, o.most = true, 200 },
		"180 octets":      func(o *openCard) { o.most = 180 },
	} {
		for _, size := range []int{100, 5_000, 40_000, 70_000} {
			for _, batched := range []bool{false, true} {
				t.Run(fmt.Sprint(name, size, batched), func(t *testing.T) {
					t.Parallel()
					o := newOpenCard(size)
					prepare(o)
					var way chip.Card = o
					if batched {
						way = &batchCard{Card: o}
					}
					var last chip.Progress
					opts := anyone()
					opts.Progress = func(p chip.Progress) {
						if p.BytesRead < last.BytesRead || p.BytesRead > p.BytesTotal || p.Index >= p.Count || p.Index < last.Index {
							t.Errorf("progress goes from %+v to %+v", last, p)
						}
						last = p
					}
					r, err := chip.Read(t.Context(), way, opts)
					if err != nil {
						t.Fatal(err)
					}
					if r.Access != "none" || len(r.Files) != len(o.files) {
						t.Errorf("%s, %d files", r.Access, len(r.Files))
					}
					for id, want := range o.files {
						got := r.Files[id]
						if !bytes.Equal(got.Reveal(), want) {
							t.Errorf("%s: %d octets of %d, or others", id, got.Len(), len(want))
						}
					}
					if last.BytesRead != last.BytesTotal || last.BytesTotal < size {
						t.Errorf("the last progress is %+v", last)
					}
				})
			}
		}
	}
}

// TestLengthsThatLie: a file shorter than its header says ends the reading where a
// proof hangs on it (TestFailures); of the others what there is is kept, and named.
func TestLengthsThatLie(t *testing.T) {
	t.Parallel()
	for name, warns := range map[string]bool{"6B00 at the end": false, "6282 at the end": true} {
		for _, batched := range []bool{false, true} {
			t.Run(fmt.Sprint(name, batched), func(t *testing.T) {
				t.Parallel()
				o := newOpenCard(3000)
				o.warns = warns
				o.files[lds.COM], o.files[lds.DG11] = o.files[lds.COM][:20], o.files[lds.DG11][:30]
				var way chip.Card = o
				if batched {
					way = &batchCard{Card: o}
				}
				r, err := chip.Read(t.Context(), way, anyone())
				if err != nil {
					t.Fatal(err)
				}
				for id, want := range o.files {
					if got := r.Files[id]; !bytes.Equal(got.Reveal(), want) {
						t.Errorf("%s: %d octets of %d, or others", id, got.Len(), len(want))
					}
					short := deviation.Deviation{Code: deviation.ChipFileShort, Where: string(id)}
					if slices.Contains(r.Deviations, short) != (id == lds.COM || id == lds.DG11) {
						t.Errorf("%s: %v", id, r.Deviations)
					}
				}
			})
		}
	}
}

// lostError is how the relay says that the document left the reader.
type lostError struct{}

func (lostError) Error() string  { return "the document left the reader" }
func (lostError) CardLost() bool { return true }

// TestFailures: each ends with its own reason, tells nothing of the document, and
// leaves nothing behind.
func TestFailures(t *testing.T) {
	t.Parallel()
	always := func(r []byte) func(int, []byte, []byte) ([]byte, error) {
		return func(int, []byte, []byte) ([]byte, error) { return r, nil }
	}
	for name, tc := range map[string]struct {
		prepare func(o *openCard, opts *chip.Options)
		want    error
	}{
		"no application":    {func(o *openCard, _ *chip.Options) { o.selectSW = apdu.FileNotFound }, chip.ErrNoApplication},
		"a stranger's card": {func(o *openCard, _ *chip.Options) { o.spoil = always([]byte{0x6D, 0x00}) }, chip.ErrNoApplication},
		"empty answers":     {func(o *openCard, _ *chip.Options) { o.spoil = always(nil) }, chip.ErrAnswer},
		"oversized answers": {func(o *openCard, _ *chip.Options) { o.spoil = always(make([]byte, 70_000)) }, chip.ErrAnswer},
		"endless chaining": {func(o *openCard, opts *chip.Options) {
			o.spoil, opts.MaxCommands = always([]byte{1, 0x61, 0}), 500
		}, chip.ErrLimit},
		"card lost": {func(o *openCard, _ *chip.Options) {
			o.spoil = func(n int, _, r []byte) ([]byte, error) {
				if n > 12 {
					return nil, lostError{}
				}
				return r, nil
			}
		}, chip.ErrCard},
		"no security object": {func(o *openCard, _ *chip.Options) { delete(o.files, lds.SOD) }, chip.ErrAnswer},
		"file too large":     {func(_ *openCard, opts *chip.Options) { opts.MaxFile = 2000 }, chip.ErrLimit},
		"too many commands":  {func(_ *openCard, opts *chip.Options) { opts.MaxCommands = 8 }, chip.ErrLimit},
		"another tag":        {func(o *openCard, _ *chip.Options) { o.files[lds.DG1][0] = 0x62 }, chip.ErrAnswer},
		"endless length":     {func(o *openCard, _ *chip.Options) { o.files[lds.DG1][1] = 0x80 }, chip.ErrAnswer},
		"length of length":   {func(o *openCard, _ *chip.Options) { o.files[lds.DG2][1] = 0x85 }, chip.ErrAnswer},
		"file ends early":    {func(o *openCard, _ *chip.Options) { o.files[lds.DG1] = o.files[lds.DG1][:50] }, chip.ErrAnswer},
		"no zone":            {func(_ *openCard, opts *chip.Options) { opts.Access = chip.Access{} }, chip.ErrAccessData},
		"bad zone":           {func(_ *openCard, opts *chip.Options) { opts.Access.BirthDate = text("74-08-12") }, chip.ErrAccessData},
		"number, no PACE":    {func(_ *openCard, opts *chip.Options) { opts.Access = chip.Access{CAN: text("123456")} }, chip.ErrAccessData},
		"bad challenge":      {func(_ *openCard, opts *chip.Options) { opts.Challenge = make([]byte, 7) }, chip.ErrOptions},
		"no randomness":      {func(_ *openCard, opts *chip.Options) { opts.Rand = nil }, chip.ErrOptions},
	} {
		for _, batched := range []bool{false, true} {
			t.Run(fmt.Sprint(name, batched), func(t *testing.T) {
				t.Parallel()
				o, opts := newOpenCard(9000), anyone()
				tc.prepare(o, &opts)
				var way chip.Card = o
				if batched {
					way = &batchCard{Card: o}
				}
				r, err := chip.Read(t.Context(), way, opts)
				var e *chip.Error
				if !errors.Is(err, tc.want) || !errors.As(err, &e) || e.Step == "" || r != nil {
					t.Fatalf("%v, %v", r, err)
				}
				ours := errors.Is(err, chip.ErrCard) || errors.Is(err, chip.ErrLimit) || errors.Is(err, chip.ErrOptions)
				if (e.Clause() == "") != ours || !strings.HasSuffix(err.Error(), "["+e.Clause()+"]") != ours {
					t.Errorf("the clause is not named: %v", err)
				}
				if file := e.File(); strings.HasPrefix(e.Step, "read ") && (file == "" || !strings.Contains(err.Error(), fmt.Sprintf("read %s at %d: ", file, e.Offset))) {
					t.Errorf("the place is not named: %v", err)
				}
				if lost := (lostError{}); name == "card lost" && !errors.As(err, &lost) {
					t.Errorf("the cause is lost: %v", err)
				}
				for _, secret := range []string{"L898902C3", "740812", "120415", "123456"} {
					if piitest.Shows(fmt.Sprintf("%v %+v", err, e), secret) {
						t.Errorf("the error tells %s", secret)
					}
				}
			})
		}
	}
}

// shortReader fails at commands of extended length, as many readers do.
type shortReader struct {
	chip.Card
	failed int
}

func (s *shortReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if c, err := apdu.Parse(command); err == nil && c.Extended {
		s.failed++
		return nil, errors.New("the reader takes no such command")
	}
	return s.Card.Transmit(ctx, command)
}

// TestReadersThatFailAtExtendedLength: everything is read in short commands, long keys
// in chains, after one failure.
func TestReadersThatFailAtExtendedLength(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]specimen.DocumentConfig{
		"BAC": {AA: "rsa-2048-sha256"}, "PACE": {Access: specimen.AccessConfig{PACE: paceConfig("2.2", 12)}, CA: []specimen.CAConfig{{Curve: "dh-1"}}},
		"PACE over a prime field": {Access: specimen.AccessConfig{PACE: paceConfig("1.2", 1)}},
	} {
		for _, batched := range []bool{false, true} {
			t.Run(fmt.Sprint(name, batched), func(t *testing.T) {
				t.Parallel()
				doc, card := issue(t, cfg)
				short := &shortReader{Card: card}
				var way chip.Card = short
				if batched {
					way = &batchCard{Card: short}
				}
				r, err := chip.Read(t.Context(), way, options(t, doc))
				if err != nil {
					t.Fatal(err)
				}
				check(t, doc, r, lds.DG1, lds.DG2)
				if short.failed != 1 || (r.AA == nil) != (cfg.AA == "") || (r.CA == nil) != (cfg.CA == nil) {
					t.Errorf("%d failures, AA %v, CA %v", short.failed, r.AA != nil, r.CA != nil)
				}
			})
		}
	}
}

// TestCancel: the context ends a reading at the next command.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	o := newOpenCard(9000)
	o.spoil = func(n int, _, r []byte) ([]byte, error) {
		if n == 10 {
			cancel(errors.New("enough"))
		}
		return r, nil
	}
	_, err := chip.Read(ctx, o, anyone())
	if !errors.Is(err, chip.ErrCard) || o.commands != 10 || !strings.Contains(err.Error(), "enough") {
		t.Errorf("after %d commands: %v", o.commands, err)
	}
}

// TestWipe: nothing of the document is left in a reading that was wiped, nor in the
// buffers of one that failed.
func TestWipe(t *testing.T) {
	t.Parallel()
	doc, card := issue(t, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}})
	r, err := chip.Read(t.Context(), card, options(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, f := range r.Files {
		all = append(all, f.Reveal())
	}
	all = append(all, r.CA.TerminalPrivate, r.CA.Response, r.AA.Response)
	r.Wipe()
	for i, b := range all {
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("buffer %d of %d is left", i, len(all))
		}
	}
	if len(r.Files) != 0 || r.CA != nil {
		t.Error("the reading still names what it held")
	}
	(*chip.Reading)(nil).Wipe()
}

// TestSeveralDocumentsAtOnce: readings share nothing.
func TestSeveralDocumentsAtOnce(t *testing.T) {
	t.Parallel()
	var read atomic.Int32
	t.Cleanup(func() {
		if read.Load() != 8 {
			t.Errorf("%d documents read", read.Load())
		}
	})
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			doc, card := issue(t, specimen.DocumentConfig{Portrait: portrait(1000 * (i + 1)), Access: specimen.AccessConfig{PACE: paceConfig("2.2", 12+i%2)}})
			r, err := chip.Read(t.Context(), card, options(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			check(t, doc, r, lds.DG1, lds.DG2)
			read.Add(1)
		})
	}
}

// FuzzRead: a card that answers anything at all cannot make the reader panic, go on
// for ever, or take what it says for a document read under secure messaging.
func FuzzRead(f *testing.F) {
	f.Add([]byte{0x90, 0x00}, uint8(2))
	f.Add([]byte("\x31\x14\x30\x12\x06\x0A\x04\x00\x7F\x00\x07\x02\x02\x04\x02\x02\x02\x01\x02\x02\x01\x0D\x90\x00"), uint8(24))
	f.Add(bytes.Repeat([]byte{0x7C, 0x12, 0x80, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00}, 3), uint8(22))
	f.Fuzz(func(t *testing.T, b []byte, each uint8) {
		card := &fuzzCard{b: b, each: int(each)%64 + 2}
		opts := anyone()
		opts.MaxCommands = 200
		r, err := chip.Read(t.Context(), card, opts)
		if err != nil {
			return
		}
		defer r.Wipe()
		if r.Access != "none" || card.sent > 200 {
			t.Fatalf("opened by %s with %d commands", r.Access, card.sent)
		}
	})
}

type fuzzCard struct {
	b    []byte
	each int
	sent int
}

func (c *fuzzCard) Transmit(context.Context, []byte) ([]byte, error) {
	c.sent++
	if len(c.b) == 0 {
		return nil, errors.New("over")
	}
	n := min(c.each, len(c.b))
	out := c.b[:n]
	c.b = c.b[n:]
	return out, nil
}
