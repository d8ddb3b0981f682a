package kernel

import "golang.org/x/sys/cpu"

// The functions named fast compute as many numbers of dst, from the first on, as are
// a multiple of what one instruction takes, and return how many. They check what
// assembly does not: that memory is the slices' own.

// eights is n rounded down to a multiple of eight, or 0 without vector instructions.
func eights(n int) int {
	if !cpu.X86.HasAVX2 {
		return 0
	}
	return n &^ 7
}

func sampleFast(dst []int16, plane []byte, stride int, l Line) int {
	n := eights(len(dst))
	if n == 0 {
		return 0
	}
	x, y := l.X+(n-1)*l.DX, l.Y+(n-1)*l.DY
	left, top := min(l.X, x)>>16, min(l.Y, y)>>16
	right, bottom := max(l.X, x)>>16, max(l.Y, y)>>16
	if left < 0 || top < 0 || right > 1<<14 || bottom > 1<<14 || stride <= 0 || stride > 1<<14 || (bottom+1)*stride+right+2 > len(plane) {
		return 0
	}
	sampleAVX2(&dst[0], n, &plane[0], stride, l.X, l.Y, l.DX, l.DY)
	return n
}

func halveFast(dst []int16, top, bottom []byte) int {
	n := eights(len(dst))
	if n > 0 {
		halveAVX2(&dst[0], n, &top[:2*n][0], &bottom[:2*n][0])
	}
	return n
}

func quartersFast(dst []int16, src []byte) int {
	n := eights(len(dst))
	if n > 0 {
		quartersAVX2(&dst[0], n, &src[:n][0])
	}
	return n
}

func convertFast(red, green, blue []float32, y, cb, cr []int16, mean, scale float32) int {
	n := eights(len(y))
	if n > 0 {
		convertAVX2(&red[:n][0], &green[:n][0], &blue[:n][0], &y[0], &cb[:n][0], &cr[:n][0], n, mean, scale)
	}
	return n
}

func convolveFast(dst, src []float32, stride int, taps *[Taps]float32) int {
	n := eights(len(dst))
	if n > 0 && stride > 0 {
		convolveAVX2(&dst[0], n, &src[:n+(Taps-1)*stride][0], stride, taps)
		return n
	}
	return 0
}

func inverseFast(dst []byte, stride int, block *[64]int32) bool {
	if !cpu.X86.HasAVX2 || stride < 8 {
		return false
	}
	inverseAVX2(&dst[:7*stride+8][0], stride, block)
	return true
}

// sampleAVX2 is Sample of n points, a multiple of eight; the others likewise.
//
//go:noescape
func sampleAVX2(dst *int16, n int, plane *byte, stride, x, y, dx, dy int)

//go:noescape
func halveAVX2(dst *int16, n int, top, bottom *byte)

//go:noescape
func quartersAVX2(dst *int16, n int, src *byte)

//go:noescape
func convertAVX2(red, green, blue *float32, y, cb, cr *int16, n int, mean, scale float32)

//go:noescape
func convolveAVX2(dst *float32, n int, src *float32, stride int, taps *[Taps]float32)

//go:noescape
func inverseAVX2(dst *byte, stride int, block *[64]int32)
