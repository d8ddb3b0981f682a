package chip

import (
	"context"

	"ipse/internal/pii"
	"ipse/mrtd/lds"
)

// Open runs the access protocol alone, for benchmarks, and says which.
func Open(ctx context.Context, card Card, opts Options) (string, error) {
	opts.MaxFile, opts.MaxCommands = 1<<20, 1000
	pass, err := opts.Access.passwords()
	if err != nil {
		return "", err
	}
	l := newLink(card, opts.MaxCommands)
	defer l.wipe()
	r := &reader{opts: &opts, pass: pass, link: l, quirks: &quirks{}, out: &Reading{Files: map[lds.FileID]pii.Bytes{}}}
	err = r.openChip(ctx)
	return r.out.Access, err
}
