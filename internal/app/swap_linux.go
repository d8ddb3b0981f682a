package app

import (
	"os"
	"path/filepath"
	"strings"
)

// swapInUse reports whether the kernel may write this process's memory to swap
// on a disk. It cannot tell whether that is encrypted.
func swapInUse() bool {
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return false
	}
	limit := ""
	if own, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		_, group, _ := strings.Cut(strings.TrimSpace(string(own)), "0::") // cgroups v2
		if raw, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", filepath.Clean("/"+group), "memory.swap.max")); err == nil {
			limit = string(raw)
		}
	}
	return swapsToDisk(string(swaps), limit)
}

// swapsToDisk reads /proc/swaps, whose first line is a heading, and the limit of
// the process's own group (memory.swap.max; empty if there is none). Swap in
// compressed memory is no disk.
func swapsToDisk(swaps, limit string) bool {
	if strings.TrimSpace(limit) == "0" {
		return false
	}
	first := true
	for line := range strings.Lines(swaps) {
		if !first && strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "/dev/zram") {
			return true
		}
		first = false
	}
	return false
}
