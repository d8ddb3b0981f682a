package chip

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"slices"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
)

// maxAttempts bounds how often a chip that loses its session is read from the start.
const maxAttempts = 4

// quirks are what earlier attempts learnt about a chip.
type quirks struct {
	short bool               // no extended lengths
	noSFI bool               // no short file identifiers
	noCA  bool               // chip authentication breaks the session
	noAA  bool               // active authentication does
	tail  bool               // reading behind a file's end does
	most  int                // the chip gives no more octets at once, 0 when it does
	bad   map[lds.FileID]int // how often a file broke the session
}

// broke notes that asking for a file ended the session; at once, or the second time,
// the file is passed over.
func (q *quirks) broke(id lds.FileID, atOnce bool) {
	if q.bad == nil {
		q.bad = map[lds.FileID]int{}
	}
	q.bad[id]++
	if atOnce {
		q.bad[id] = skipFrom
	}
}

const skipFrom = 2

func (q *quirks) skips(id lds.FileID) bool { return q.bad[id] >= skipFrom }

// reader is one attempt at reading.
type reader struct {
	opts   *Options
	pass   passwords
	link   *link
	quirks *quirks
	out    *Reading

	all        []*file // whose buffers are wiped when the attempt fails
	unselected bool    // the application is to be selected with the next read
	sfiWorks   bool
	current    lds.FileID // selected file, "" when not known

	index, count int // of progress
	read, sized  int
	sizedAll     bool // the lengths of all files are known
}

// Read reads a document. The error is an *Error; whatever was read is wiped then.
func Read(ctx context.Context, card Card, opts Options) (*Reading, error) {
	switch {
	case card == nil || opts.Rand == nil:
		return nil, failed("options", ErrOptions, nil)
	case opts.Challenge != nil && len(opts.Challenge) != 8:
		return nil, failed("options", ErrOptions, errors.New("the challenge has eight octets"))
	}
	if opts.MaxCommands <= 0 {
		opts.MaxCommands = 8192
	}
	if opts.MaxFile <= 0 || opts.MaxFile > lds.MaxFile {
		opts.MaxFile = lds.MaxFile
	}
	pass, err := opts.Access.passwords()
	if err != nil {
		return nil, err
	}
	defer pass.wipe()
	q := &quirks{short: opts.ShortOnly}
	l := newLink(card, opts.MaxCommands)
	defer l.wipe()
	var last error
	for attempt := range maxAttempts {
		r := &reader{opts: &opts, pass: pass, link: l, quirks: q, out: &Reading{Files: map[lds.FileID]pii.Bytes{}}}
		last = r.extendedFailed(r.run(ctx))
		if last == nil {
			if attempt > 0 {
				r.deviate(deviation.ChipReadAgain, "")
			}
			r.out.Commands, r.out.Trips = l.commands, l.trips
			return r.out, nil
		}
		r.wipe()
		l.wipe()
		var e *Error
		if !errors.As(last, &e) || !e.lost {
			break
		}
	}
	return nil, last
}

// wipe overwrites what a failed attempt read.
func (r *reader) wipe() {
	r.out.Wipe()
	for _, f := range r.all {
		clear(f.data)
	}
}

func (r *reader) deviate(code deviation.Code, where string) {
	d := deviation.Deviation{Code: code, Where: where}
	if !slices.Contains(r.out.Deviations, d) {
		r.out.Deviations = append(r.out.Deviations, d)
	}
}

// run is one attempt from the start (9303-11 §4.2, §5, §6). EF.SOD comes first: it
// says, signed, which data groups there are and so which proofs are owed.
func (r *reader) run(ctx context.Context) error {
	if err := r.openChip(ctx); err != nil {
		return err
	}
	r.current, r.sfiWorks = "", false
	com, sod := &file{id: lds.COM}, &file{id: lds.SOD}
	r.count = 5
	if err := r.readFiles(ctx, r.present(com, sod)); err != nil {
		return err
	}
	r.take(com, sod)
	if len(com.data) == 0 {
		r.deviate(deviation.COMMissing, string(lds.COM))
	}
	if len(sod.data) == 0 {
		return failed("read SOD", ErrAnswer, errors.New("the document has no security object"))
	}
	groups, security := r.groups(com.data, sod.data)
	if err := r.readHeaders(ctx, groups); err != nil {
		return err
	}
	r.sizedAll = true
	if err := r.readGroups(ctx, groups); err != nil {
		return err
	}
	if err := r.tails(ctx, groups, security); err != nil {
		return err
	}
	r.read = r.sized
	r.progress(lds.DG2, 0)
	return nil
}

// readGroups reads DG14 and has its key proved, then the others, then DG15's key.
func (r *reader) readGroups(ctx context.Context, groups []*file) error {
	var dg15 *file
	others := groups
	for i, f := range groups {
		if f.id == lds.DG15 {
			dg15 = f
		}
		if f.id != lds.DG14 {
			continue
		}
		if err := r.readContents(ctx, groups[i:i+1]); err != nil {
			return err
		}
		r.take(f)
		others = slices.Delete(slices.Clone(groups), i, i+1)
		if f.gone {
			continue
		}
		if err := r.proveKey(ctx, f.data); err != nil {
			return err
		}
	}
	r.current = ""
	begun := r.link.transcript != nil
	if err := r.readContents(ctx, others); err != nil {
		if begun && r.link.transcript != nil { // the first answer under the new keys was not made with them
			return r.withoutCA(err)
		}
		return err
	}
	r.take(others...)
	if dg15 == nil || dg15.gone {
		return nil
	}
	return r.answerChallenge(ctx, dg15.data)
}

// withoutCA has the document read without chip authentication, when the chip took
// the reader's key and then could not use the new ones: a clone without the private
// key. The verdict finds the proof owed and missing.
func (r *reader) withoutCA(err error) error {
	var e *Error
	if errors.As(err, &e) && (errors.Is(err, ErrSecureMessaging) || errors.Is(err, ErrSessionLost)) {
		r.quirks.noCA, e.lost = true, true
	}
	return err
}

// present leaves out files that broke the session before.
func (r *reader) present(files ...*file) []*file {
	return slices.DeleteFunc(files, func(f *file) bool { return r.quirks.skips(f.id) })
}

// take keeps complete files.
func (r *reader) take(files ...*file) {
	for _, f := range files {
		if f.complete() && !f.gone {
			r.keep(f.id, f.data)
		}
	}
}

// groups plans the data groups to read, from EF.SOD where it can be read, else
// from EF.COM; DG14 first and DG2, the largest, last.
func (r *reader) groups(com, sod []byte) ([]*file, *lds.DocumentSecurity) {
	security, err := lds.ParseSOD(sod)
	listed := func(lds.FileID) bool { return true }
	if err == nil {
		listed = security.Lists
	} else if data, err := lds.ParseCOM(com); err == nil {
		listed = func(id lds.FileID) bool { return slices.Contains(data.Groups, id) }
	}
	want := append([]lds.FileID{lds.DG1, lds.DG2}, r.opts.Extra...)
	if len(r.opts.Only) > 0 {
		want = r.opts.Only
	}
	want = append([]lds.FileID{lds.DG14, lds.DG15}, want...)
	want = slices.DeleteFunc(want, func(id lds.FileID) bool {
		_, group := id.Number()
		return !group || !listed(id) || r.quirks.skips(id) || id == lds.DG2
	})
	if listed(lds.DG2) && !r.quirks.skips(lds.DG2) && (len(r.opts.Only) == 0 || slices.Contains(r.opts.Only, lds.DG2)) {
		want = append(want, lds.DG2)
	}
	var out []*file
	for _, id := range want {
		if !slices.ContainsFunc(out, func(f *file) bool { return f.id == id }) {
			out = append(out, &file{id: id})
		}
	}
	r.count = r.index + len(out)
	return out, security
}

// tails reads the octets behind data groups whose signed hash covers them (Swedish
// DG14s): only where the hash does not fit otherwise, and last of all, since some
// chips (Russian ones) break the session when read beyond an end.
func (r *reader) tails(ctx context.Context, groups []*file, security *lds.DocumentSecurity) error {
	if security == nil || r.quirks.tail || !security.Hash.Available() {
		return nil
	}
	for _, f := range groups {
		n, _ := f.id.Number()
		want := security.HashOf(n)
		if f.gone || want == nil || bytes.Equal(digest(security.Hash, f.data), want) {
			continue
		}
		more, err := r.behind(ctx, f)
		if err != nil || more == nil {
			return err
		}
		for i := range more {
			if longer := append(f.data[:len(f.data):len(f.data)], more[:i+1]...); bytes.Equal(digest(security.Hash, longer), want) {
				r.keep(f.id, longer)
				break
			}
		}
	}
	return nil
}

// behind reads what follows a file's content; nil ends the search.
func (r *reader) behind(ctx context.Context, f *file) ([]byte, error) {
	const most = 128
	a, err := r.link.sendAll(ctx, readStep+string(f.id), r.readCommands(f.id, true, len(f.data), most))
	if err != nil {
		return nil, err
	}
	last := a[len(a)-1]
	if last.bare {
		r.quirks.tail = true
		return nil, nil // everything was read: no need for the session any more
	}
	if last.SW.Error() && last.SW != apdu.WrongOffset {
		return []byte{}, nil
	}
	data, err := readData(last.Data, len(f.data))
	if err != nil {
		return []byte{}, nil //nolint:nilerr // nothing usable follows
	}
	return data[:min(len(data), most)], nil
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// estimate is what DG2 and its company come to, before the lengths are known.
const estimate = 20 << 10

func (r *reader) progress(id lds.FileID, n int) {
	r.read += n
	if r.opts.Progress == nil {
		return
	}
	total := r.sized
	if !r.sizedAll {
		total = max(total, estimate)
	}
	r.opts.Progress(Progress{File: id, Index: min(r.index, max(r.count-1, 0)), Count: r.count, BytesRead: min(r.read, total), BytesTotal: total})
}
