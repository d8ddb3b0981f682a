//go:build !amd64

package kernel

// How many numbers of dst were computed in vector instructions: none here.

func sampleFast([]int16, []byte, int, Line) int { return 0 }

func halveFast([]int16, []byte, []byte) int { return 0 }

func quartersFast([]int16, []byte) int { return 0 }

func inverseFast([]byte, int, *[64]int32) bool { return false }

func convertFast(_, _, _ []float32, _, _, _ []int16, _, _ float32) int { return 0 }

func convolveFast(_, _ []float32, _ int, _ *[Taps]float32) int { return 0 }
