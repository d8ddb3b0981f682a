package app_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestAServersMemoryCannotBeDumped: neither a crash nor another process of the
// same user can write it to a file.
func TestAServersMemoryCannotBeDumped(t *testing.T) {
	t.Parallel()
	l := listen(t)
	opts, _ := options(t, t.TempDir(), l)
	serve(t, opts, l)
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 || core.Max != 0 {
		t.Errorf("core dumps of up to %d bytes, %d after an increase; %v", core.Cur, core.Max, err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable: %d, %v", dumpable, err)
	}
}
