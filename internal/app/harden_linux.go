package app

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// harden keeps the process's memory out of files: no core dump, and no reading
// of it by other processes of the same user (PR_SET_DUMPABLE 0 also makes
// /proc/PID/mem root's alone). Swap is the operator's to turn off or encrypt:
// docs/operate.md says how.
func harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid memory dumps: %w", err)
	}
	return nil
}
