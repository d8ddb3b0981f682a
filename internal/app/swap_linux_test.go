package app

import "testing"

func TestSwapOnADiskIsNoticed(t *testing.T) {
	t.Parallel()
	const heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	for name, c := range map[string]struct {
		swaps, limit string
		want         bool
	}{
		"no swap":               {heading, "", false},
		"nothing to read":       {"", "", false},
		"a partition":           {heading + "/dev/sda2 partition 2097148 0 -2\n", "max\n", true},
		"a file, no group":      {heading + "/swapfile file 2097148 0 -2\n", "", true},
		"none for this process": {heading + "/swapfile file 2097148 0 -2\n", "0\n", false},
		"in compressed memory":  {heading + "/dev/zram0 partition 2097148 0 100\n", "", false},
		"there, and on a disk":  {heading + "/dev/zram0 partition 1 0 100\n/dev/dm-1 partition 1 0 -2\n", "max\n", true},
		"little is not none":    {heading + "/dev/dm-1 partition 1 0 -2\n", "4096\n", true},
	} {
		if got := swapsToDisk(c.swaps, c.limit); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
