package chip

import (
	"context"
	"errors"
	"fmt"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// headerSize is how much of a file is read first, to learn its length: a tag of one
// octet and a length of up to four.
const headerSize = 5

// Sizes of reads with short lengths: what fits a response of 256 octets together
// with the protected status, the code and the padding.
const (
	shortPlain = 256
	short3DES  = 231
	shortAES   = 223
	// maxOffset is the last offset that READ BINARY holds in P1 P2.
	maxOffset = 0x7FFF
	// extendedChunk stays below the buffers of chips and readers in circulation.
	extendedChunk = 3072
)

func (r *reader) shortChunk() int {
	switch {
	case r.link.session == nil:
		return shortPlain
	case r.link.session.Suite() == sm.TDES:
		return short3DES
	}
	return shortAES
}

// file is an elementary file being read.
type file struct {
	id    lds.FileID
	total int // length of the content as its header says
	data  []byte
	gone  bool // not there, or not for us
}

func (f *file) complete() bool { return f.gone || f.total > 0 && len(f.data) >= f.total }

// readFiles reads files completely: their headers together, then their contents
// together. Files that the chip does not give are marked gone.
func (r *reader) readFiles(ctx context.Context, files []*file) error {
	if err := r.readHeaders(ctx, files); err != nil {
		return err
	}
	return r.readContents(ctx, files)
}

// readHeaders learns the length of each file.
func (r *reader) readHeaders(ctx context.Context, files []*file) error {
	r.all = append(r.all, files...)
	for len(files) > 0 {
		n := min(len(files), MaxBatch)
		if r.quirks.noSFI {
			n = 1
		}
		var commands []*apdu.Command
		for _, f := range files[:n] {
			commands = append(commands, r.readCommands(f.id, true, 0, headerSize)...)
		}
		r.progress(files[0].id, 0)
		answers, err := r.sendInApplication(ctx, readStep+string(files[0].id), commands)
		if err != nil {
			return err
		}
		r.current = ""
		used, err := r.takeHeaders(files[:n], answers, len(commands)/n)
		if err != nil {
			return err
		}
		files = files[used:]
	}
	return nil
}

// sendInApplication sends reads after selecting the application, where that is still
// to be done. Without answers, nothing was read yet.
func (r *reader) sendInApplication(ctx context.Context, step string, commands []*apdu.Command) ([]*answer, error) {
	if !r.unselected {
		return r.link.sendAll(ctx, step, commands)
	}
	commands = append([]*apdu.Command{selectApplication()}, commands[:min(len(commands), MaxBatch-1)]...)
	answers, err := r.link.sendAll(ctx, step, commands)
	if err != nil {
		if e := (*Error)(nil); errors.As(err, &e) && e.command == 0 {
			e.Step = selectStep
		}
		return nil, err
	}
	if err := applicationSelected(answers[0]); err != nil {
		return nil, err
	}
	r.unselected = false
	return answers[1:], nil
}

// takeHeaders reads the answers to header reads, of which each took a number of
// commands, and returns how many files they settled.
func (r *reader) takeHeaders(files []*file, answers []*answer, each int) (int, error) {
	for i, f := range files {
		last := min((i+1)*each, len(answers)) - 1
		if last < i*each {
			return i, nil
		}
		a := answers[last]
		short := last < (i+1)*each-1 // SELECT failed
		if short && a.SW == apdu.OK {
			return i, nil
		}
		if short || a.SW.Error() {
			retry, err := r.headerRefused(f, a)
			if err != nil {
				return 0, err
			}
			if retry {
				return i, nil
			}
			return i + 1, nil
		}
		if err := r.takeHeader(f, a.Data); err != nil {
			return 0, err
		}
	}
	return len(files), nil
}

// headerRefused deals with a chip that does not give a file: it may know no short
// identifiers, hold no such file, or have lost the session.
func (r *reader) headerRefused(f *file, a *answer) (retry bool, err error) {
	step := readStep + string(f.id)
	if !r.quirks.noSFI && !r.sfiWorks {
		r.quirks.noSFI = true
		if a.bare {
			return false, refused(step, ErrAnswer, a)
		}
		return true, nil
	}
	if a.bare {
		// A chip that answers a missing file in the plain has ended the session;
		// the next one passes the file over. Otherwise it is asked for once more.
		r.quirks.broke(f.id, !sessionEnds(a.SW))
		return false, refused(step, ErrAnswer, a)
	}
	f.gone = true
	r.index++
	return false, nil
}

// takeHeader learns the length from the first octets.
func (r *reader) takeHeader(f *file, b []byte) error {
	step := readStep + string(f.id)
	if len(b) == 0 || len(b) > headerSize {
		return failed(step, ErrAnswer, errors.New("length of the first read"))
	}
	r.sfiWorks = true
	total, err := contentLength(f.id, b)
	if err != nil {
		return failed(step, ErrAnswer, err)
	}
	if total > r.opts.MaxFile {
		return failed(step, ErrLimit, fmt.Errorf("%d octets", total))
	}
	f.total, f.data = total, append(make([]byte, 0, total), b...)
	if len(f.data) > total {
		f.data = f.data[:total]
	}
	r.sized += total
	r.read += len(f.data)
	if f.complete() {
		r.index++
	}
	return nil
}

// contentLength reads tag and length; the tag must be the file's.
func contentLength(id lds.FileID, b []byte) (int, error) {
	switch {
	case id.Tag() != 0 && b[0] != id.Tag():
		return 0, fmt.Errorf("tag %02X", b[0])
	case len(b) < 2 || b[1] == 0x80:
		return 0, tlv.ErrLength
	case b[1] < 0x80:
		return 2 + int(b[1]), nil
	}
	n := int(b[1] & 0x7F)
	if n > 3 || len(b) < 2+n {
		return 0, tlv.ErrLength
	}
	length := 0
	for _, c := range b[2 : 2+n] {
		length = length<<8 | int(c)
	}
	return 2 + n + length, nil
}

// readContents reads the rest of every file, as many reads ahead as a batch takes.
func (r *reader) readContents(ctx context.Context, files []*file) error {
	for {
		reads, commands := r.planReads(files)
		if len(reads) == 0 {
			return nil
		}
		first := reads[0]
		r.progress(first.f.id, 0)
		step := readStep + string(first.f.id)
		answers, err := r.link.sendAll(ctx, step, commands)
		if err != nil {
			return placed(err, reads)
		}
		if err := r.takeReads(reads, answers); err != nil {
			return err
		}
	}
}

// placed adds to an error which file was being read, and where.
func placed(err error, reads []read) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	sent := 0
	for _, one := range reads {
		if sent += one.commands; e.command < sent {
			e.Step, e.Offset = readStep+string(one.f.id), one.offset
			break
		}
	}
	return err
}

// read is one planned READ BINARY and the commands it takes.
type read struct {
	f         *file
	offset, n int
	commands  int
}

// planReads plans up to a batch of reads over the files that lack something.
func (r *reader) planReads(files []*file) ([]read, []*apdu.Command) {
	var reads []read
	var commands []*apdu.Command
	limit := MaxBatch
	if r.link.batch == nil {
		limit = 1
	}
	for _, f := range files {
		if f.complete() {
			continue
		}
		current := r.current == f.id
		for offset := len(f.data); offset < f.total; {
			if len(commands) >= limit {
				return reads, commands
			}
			n := min(f.total-offset, r.chunk(f.total-offset, offset))
			next := r.readCommands(f.id, !current, offset, n)
			if len(commands) > 0 && len(commands)+len(next) > limit {
				return reads, commands
			}
			commands = append(commands, next...)
			reads = append(reads, read{f, offset, n, len(next)})
			r.current, current = f.id, true
			offset += n
		}
	}
	return reads, commands
}

// chunk is how much to read at once of a file that lacks so much, at an offset.
func (r *reader) chunk(missing, offset int) int {
	n := r.shortChunk()
	if missing > n && !r.quirks.short {
		n = extendedChunk
	}
	if offset > maxOffset {
		n -= len(tlv.AppendHeader(nil, 0x53, n))
	}
	if r.quirks.most > 0 {
		n = min(n, r.quirks.most)
	}
	return n
}

// readCommands reads n octets at an offset, selecting the file first when it is not
// the current one: by short identifier in READ BINARY itself where the offset allows.
func (r *reader) readCommands(id lds.FileID, choose bool, offset, n int) []*apdu.Command {
	if choose && !r.quirks.noSFI && offset <= 0xFF {
		return []*apdu.Command{{INS: apdu.ReadBinary, P1: 0x80 | id.SFI(), P2: byte(offset), Ne: n}}
	}
	var out []*apdu.Command
	if choose {
		fid := id.FID()
		out = append(out, &apdu.Command{INS: apdu.Select, P1: 0x02, P2: 0x0C, Data: []byte{byte(fid >> 8), byte(fid)}})
	}
	if offset <= maxOffset {
		return append(out, &apdu.Command{INS: apdu.ReadBinary, P1: byte(offset >> 8), P2: byte(offset), Ne: n})
	}
	// Beyond 32767: odd instruction, offset and data in data objects (ISO/IEC 7816-4 §11.3.3).
	at := []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)}
	if at[0] == 0 {
		at = at[1:]
	}
	return append(out, &apdu.Command{INS: apdu.ReadBinaryOdd, Data: tlv.Encode(0x54, at), Ne: n + len(tlv.AppendHeader(nil, 0x53, n))})
}

// takeReads adds the answers to their files. A shorter answer than asked for makes
// later reads as short; the rest of its batch is read again.
func (r *reader) takeReads(reads []read, answers []*answer) error {
	for _, one := range reads {
		step := readStep + string(one.f.id)
		if len(answers) == 0 {
			r.current = ""
			return nil
		}
		n := min(one.commands, len(answers))
		a := answers[n-1]
		answers = answers[n:]
		if n < one.commands && a.SW == apdu.OK { // the batch ended between SELECT and READ
			r.current = ""
			return nil
		}
		if a.SW.Error() || n < one.commands {
			return r.readRefused(one, a)
		}
		data, err := readData(a.Data, one.offset)
		if err != nil || len(data) > one.n {
			return &Error{Step: step, Offset: one.offset, Reason: ErrAnswer, Err: errors.New("length of a read")}
		}
		if len(data) == 0 && r.cutShort(one.f) {
			return nil
		}
		if len(data) == 0 {
			return &Error{Step: step, Offset: one.offset, Reason: ErrAnswer, Status: uint16(a.SW), Err: errShort}
		}
		if one.offset != len(one.f.data) {
			continue // behind a short read
		}
		if r.link.extended && len(data) > shortPlain {
			r.link.extendedWorks = true
		}
		one.f.data = append(one.f.data, data...)
		r.progress(one.f.id, len(data))
		if one.f.complete() {
			r.index++
		}
		if len(data) < one.n {
			r.shorter(len(data))
		}
	}
	return nil
}

// shorter notes that the chip gives less at once than asked for.
func (r *reader) shorter(n int) {
	if n >= 16 && (r.quirks.most == 0 || n < r.quirks.most) {
		r.quirks.most = n
	}
}

// readRefused deals with a read that fails in the middle of a file.
func (r *reader) readRefused(one read, a *answer) error {
	e := refused(readStep+string(one.f.id), ErrAnswer, a)
	e.Offset = one.offset
	r.current = ""
	if n := a.SW.ExactLe(); n > 0 && n < one.n { // 6Cxx under secure messaging
		r.shorter(n)
		if !a.bare {
			return nil
		}
		e.lost = true // again from the start, in shorter reads
		return e
	}
	if a.SW == apdu.WrongOffset && !a.bare && r.cutShort(one.f) {
		return nil
	}
	long := one.n > r.shortChunk()
	if long && !r.link.extendedWorks { // Chinese chips announce and refuse extended lengths
		r.quirks.short = true
		if !a.bare {
			return nil // read again in short pieces
		}
	}
	return e
}

// cutShort takes a file for read that ends before the length in its own header, where
// no proof hangs on it: the verdict sees what there is. The others fail the reading.
func (r *reader) cutShort(f *file) bool {
	switch f.id {
	case lds.SOD, lds.DG1, lds.DG2, lds.DG14, lds.DG15, lds.CardAccess, lds.CardSecurity:
		return false
	}
	r.deviate(deviation.ChipFileShort, string(f.id))
	r.sized -= f.total - len(f.data)
	f.total = len(f.data)
	r.index++
	return true
}

// noExtended notes, after a command of extended length was refused, that the chip or
// the reader takes none; false when it took one before, or none was sent.
func (r *reader) noExtended() bool {
	if r.quirks.short || !r.link.extended || r.link.extendedWorks {
		return false
	}
	r.quirks.short = true
	return true
}

// extendedFailed handles a card lost at the first command of extended length: many
// readers fail at those, so everything is tried once more without.
func (r *reader) extendedFailed(err error) error {
	var e *Error
	if errors.As(err, &e) && errors.Is(err, ErrCard) && !knownLost(err) && r.noExtended() {
		e.lost = true
	}
	return err
}

// knownLost reports errors that say themselves that the card or the reader is gone.
func knownLost(err error) bool {
	var card interface{ CardLost() bool }
	var reader interface{ ReaderLost() bool }
	return errors.As(err, &card) && card.CardLost() || errors.As(err, &reader) && reader.ReaderLost() ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// readData takes the data of a read out of its data object where the odd
// instruction was used.
func readData(b []byte, offset int) ([]byte, error) {
	if offset <= maxOffset {
		return b, nil
	}
	e, err := tlv.Parse(b)
	if err != nil {
		return nil, err
	}
	if e.Tag != 0x53 && e.Tag != 0x73 {
		return nil, tlv.ErrUnwanted
	}
	return e.Value, nil
}

// rest completes a file of which the beginning was read.
func (r *reader) rest(ctx context.Context, id lds.FileID, begun []byte) ([]byte, error) {
	total, err := contentLength(id, begun)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // no readable file
	}
	if total > r.opts.MaxFile {
		return nil, failed(readStep+string(id), ErrLimit, fmt.Errorf("%d octets", total))
	}
	f := &file{id: id, total: total, data: begun[:min(len(begun), total)]}
	r.sized += total
	r.read += len(f.data)
	r.current = id
	defer func(index int) { r.index = index }(r.index) // not one of the files counted
	if err := r.readContents(ctx, []*file{f}); err != nil {
		return nil, err
	}
	r.current = ""
	return f.data, nil
}

// readOptional reads one file and keeps it; what the chip does not give is passed over.
func (r *reader) readOptional(ctx context.Context, id lds.FileID) error {
	if r.quirks.skips(id) {
		return nil
	}
	f := &file{id: id}
	noSFI, index := r.quirks.noSFI, r.index
	if err := r.readFiles(ctx, []*file{f}); err != nil {
		return err
	}
	r.current, r.quirks.noSFI, r.index = "", noSFI, index // a missing file says nothing about short identifiers
	if f.complete() && !f.gone {
		r.keep(id, f.data)
	}
	return nil
}

func (r *reader) keep(id lds.FileID, b []byte) {
	if old, ok := r.out.Files[id]; ok {
		old.Wipe()
	}
	r.out.Files[id] = pii.NewBytes(b)
}
