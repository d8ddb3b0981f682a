// Package kernel holds the inner loops that every camera frame goes through, and
// nothing else: sampling, conversion of colours, convolution. Each is a few lines of
// Go, which say what is computed, and the same in vector instructions where the
// processor has them (amd64 with AVX2). Both give the same bits: the tests compare
// them. Pixels are foreign personal data: a kernel keeps none, and leaves none in
// vector registers.
package kernel

// Neutral is the sample of Cb and Cr that means no colour, in quarters of a level, in
// which samples are handed from kernel to kernel.
const Neutral = 512

// Weights of Cb and Cr in red, green and blue, in 512ths (ITU-T T.871, JFIF, §7).
const (
	redOfCr, greenOfCb, greenOfCr, blueOfCb = 718, -176, -366, 907 // 1.402, -0.344136, -0.714136, 1.772
)

// Line is a row of points in a plane: where it begins and its step, in 16.16 fixed point.
type Line struct{ X, Y, DX, DY int }

// Sample reads a plane, stride samples a row, at a line's points, bilinearly. Samples
// are rounded to quarters of a level. Every point and its neighbours to the right and
// below lie inside the plane.
func Sample(dst []int16, plane []byte, stride int, l Line) {
	n := sampleFast(dst, plane, stride, l)
	x, y := l.X+n*l.DX, l.Y+n*l.DY
	for i := n; i < len(dst); i++ {
		o := (y>>16)*stride + x>>16
		dst[i] = Round(Mix(plane[o], plane[o+1], plane[o+stride], plane[o+stride+1], x, y))
		x, y = x+l.DX, y+l.DY
	}
}

// Mix weighs the samples a, b above c, d with the 256ths of a place, 16.16, between
// them. The result is 16.16.
func Mix(a, b, c, d byte, x, y int) int {
	fx, fy := x&0xffff>>8, y&0xffff>>8
	top, bottom := int(a)<<8+(int(b)-int(a))*fx, int(c)<<8+(int(d)-int(c))*fx
	return top<<8 + (bottom-top)*fy
}

// Round rounds a sample, 16.16, to quarters of a level.
func Round(v int) int16 { return int16((v + 1<<13) >> 14) }

// Halve adds up boxes of two samples by two: means in quarters of a level. Both rows
// have twice as many samples as dst.
func Halve(dst []int16, top, bottom []byte) {
	top, bottom = top[:2*len(dst)], bottom[:2*len(dst)]
	for i := halveFast(dst, top, bottom); i < len(dst); i++ {
		dst[i] = int16(top[2*i]) + int16(top[2*i+1]) + int16(bottom[2*i]) + int16(bottom[2*i+1])
	}
}

// Quarters turns samples into quarters of a level; src is as long as dst.
func Quarters(dst []int16, src []byte) {
	src = src[:len(dst)]
	for i := quartersFast(dst, src); i < len(dst); i++ {
		dst[i] = int16(src[i]) * 4
	}
}

// Convert turns a row of pixels, samples of 0 to 1020, into a network's numbers: a
// level, 0 to 255 in quarters, less mean, times scale. All slices have the same length.
func Convert(red, green, blue []float32, y, cb, cr []int16, mean, scale float32) {
	n := len(y)
	red, green, blue, cb, cr = red[:n], green[:n], blue[:n], cb[:n], cr[:n]
	number := func(v int) float32 {
		level := float32(min(max(v>>9, 0), 1020)) * .25
		return (level - mean) * scale
	}
	for i := convertFast(red, green, blue, y, cb, cr, mean, scale); i < n; i++ {
		v, b, r := int(y[i])<<9+256, int(cb[i])-Neutral, int(cr[i])-Neutral
		red[i] = number(v + redOfCr*r)
		green[i] = number(v + greenOfCb*b + greenOfCr*r)
		blue[i] = number(v + blueOfCb*b)
	}
}

// Taps is how many numbers Convolve adds up.
const Taps = 9

// Convolve adds up Taps numbers of src, stride apart, for each of dst: from as many
// numbers on as dst has.
func Convolve(dst, src []float32, stride int, taps *[Taps]float32) {
	for i := convolveFast(dst, src, stride, taps); i < len(dst); i++ {
		v := taps[0] * src[i]
		for k := 1; k < Taps; k++ {
			v += float32(taps[k] * src[i+k*stride]) // rounded twice, as the vector instructions do
		}
		dst[i] = v
	}
}
