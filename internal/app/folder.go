package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// minFree is how much room the data folder's file system must have for the server
// to count as ready, in bytes: less than that, and the next writes fail.
const minFree = 8 << 20

// openFolder makes the data folder and keeps other servers out of it: limits and
// what runs are in one process's memory, and two would each count for themselves.
func (a *App) openFolder(context.Context) error {
	dir := a.opts.Config.Server.Data
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make it: %w", err)
	}
	lock, err := os.OpenFile(a.data("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		err = errors.Join(err, lock.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("%s is in use by another server that runs", dir)
		}
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	a.lock = lock
	return nil
}

// freeBytes returns the room that is left for the data folder, or false where that
// cannot be told.
func (a *App) freeBytes() (uint64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(a.opts.Config.Server.Data, &s) != nil || s.Bsize <= 0 {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:unconvert // of another type elsewhere
}

// ready reports why the server cannot do its work.
func (a *App) ready(ctx context.Context) error {
	return errors.Join(a.store.Ping(ctx), a.checkDisk(ctx))
}

// checkDisk reports a disk that is about to be full.
func (a *App) checkDisk(context.Context) error {
	if free, known := a.freeBytes(); known && free < minFree {
		return fmt.Errorf("the data folder's file system has %d KiB left, less than %d KiB", free>>10, minFree>>10)
	}
	return nil
}

// private refuses a secret that other users of the machine may read or change.
func private(name string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o027 != 0 {
		return fmt.Errorf("%s has mode %04o, which lets others read or change it: chmod 600 %s", name, mode, name)
	}
	return nil
}
