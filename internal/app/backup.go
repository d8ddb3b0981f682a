package app

import (
	"context"

	"ipse/internal/config"
	"ipse/internal/store"
)

// Backup writes a consistent copy of the installation's database to a new file that
// its owner alone can read; the server may be running. The keys are not in it: they
// do not change and belong elsewhere (docs/operate.md).
func Backup(ctx context.Context, cfg config.Config, to string) error {
	a := &App{opts: Options{Config: cfg}}
	return store.CopyFile(ctx, a.data(databaseName), to)
}
