package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the processor time that this process has used so far, and
// threadCPU that of the calling thread, both exact where getrusage(2) counts ticks.
func processCPU() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func threadCPU() time.Duration { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
