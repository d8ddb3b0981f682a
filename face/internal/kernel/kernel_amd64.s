#include "textflag.h"

// Every function ends with VZEROALL: no pixel stays in a vector register.

// 0, 1, ... 7
DATA eight<>+0(SB)/4, $0
DATA eight<>+4(SB)/4, $1
DATA eight<>+8(SB)/4, $2
DATA eight<>+12(SB)/4, $3
DATA eight<>+16(SB)/4, $4
DATA eight<>+20(SB)/4, $5
DATA eight<>+24(SB)/4, $6
DATA eight<>+28(SB)/4, $7
GLOBL eight<>(SB), RODATA|NOPTR, $32

DATA words<>+0(SB)/4, $0x000000ff  // a byte
DATA words<>+4(SB)/4, $0x00000100  // 256
DATA words<>+8(SB)/4, $0x00002000  // 1<<13
DATA words<>+12(SB)/4, $0x01010101 // ones
DATA words<>+16(SB)/4, $0x02000200 // Neutral, twice
DATA words<>+20(SB)/4, $0x02ce0200 // 718, 512: redOfCr
DATA words<>+24(SB)/4, $0xfe920200 // -366, 512: greenOfCr
DATA words<>+28(SB)/4, $0x0000ff50 // 0, -176: greenOfCb
DATA words<>+32(SB)/4, $0x038b0200 // 907, 512: blueOfCb
DATA words<>+36(SB)/4, $1020
DATA words<>+40(SB)/4, $0x3e800000 // .25
GLOBL words<>(SB), RODATA|NOPTR, $44

// PAIR fetches two neighbours and those below them. Sixteen such loads are faster than
// two instructions that gather.
#define PAIR(i) \
	MOVL places-32+(4*i)(SP), AX        \
	VPINSRW $i, (SI)(AX*1), X7, X7 \
	VPINSRW $i, (DX)(AX*1), X8, X8

// func sampleAVX2(dst *int16, n int, plane *byte, stride, x, y, dx, dy int)
TEXT ·sampleAVX2(SB), NOSPLIT, $32-64
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ plane+16(FP), SI
	MOVQ stride+24(FP), R8
	LEAQ (SI)(R8*1), DX            // the row below
	VPBROADCASTD stride+24(FP), Y15
	VPBROADCASTD x+32(FP), Y0
	VPBROADCASTD y+40(FP), Y1
	VPBROADCASTD dx+48(FP), Y2
	VPBROADCASTD dy+56(FP), Y3
	VMOVDQU eight<>(SB), Y4
	VPMULLD Y4, Y2, Y5
	VPADDD Y5, Y0, Y0              // eight points
	VPMULLD Y4, Y3, Y5
	VPADDD Y5, Y1, Y1
	VPSLLD $3, Y2, Y2              // steps of eight
	VPSLLD $3, Y3, Y3
	VPBROADCASTD words<>+0(SB), Y11
	VPBROADCASTD words<>+4(SB), Y12
	VPBROADCASTD words<>+8(SB), Y13

sample:
	VPSRAD $16, Y1, Y4
	VPMULLD Y15, Y4, Y4
	VPSRAD $16, Y0, Y5
	VPADDD Y5, Y4, Y4              // where the samples lie
	VMOVDQU Y4, places-32(SP)
	VPXOR X7, X7, X7
	VPXOR X8, X8, X8
	PAIR(0)
	PAIR(1)
	PAIR(2)
	PAIR(3)
	PAIR(4)
	PAIR(5)
	PAIR(6)
	PAIR(7)
	VPMOVZXBW X7, Y7               // a, b as words
	VPMOVZXBW X8, Y8               // c, d
	VPSRLD $8, Y0, Y9
	VPAND Y11, Y9, Y9              // fx
	VPSLLD $16, Y9, Y10
	VPSUBD Y9, Y12, Y9
	VPOR Y10, Y9, Y9               // 256-fx, fx
	VPMADDWD Y9, Y7, Y7            // top
	VPMADDWD Y9, Y8, Y8            // bottom
	VPSRLD $8, Y1, Y10
	VPAND Y11, Y10, Y10            // fy
	VPSUBD Y7, Y8, Y8
	VPMULLD Y10, Y8, Y8
	VPSLLD $8, Y7, Y7
	VPADDD Y8, Y7, Y7
	VPADDD Y13, Y7, Y7
	VPSRAD $14, Y7, Y7
	VEXTRACTI128 $1, Y7, X8
	VPACKSSDW X8, X7, X7
	VMOVDQU X7, (DI)
	VPADDD Y2, Y0, Y0
	VPADDD Y3, Y1, Y1
	ADDQ $16, DI
	SUBQ $8, CX
	JNZ sample
	VZEROALL
	RET

// func halveAVX2(dst *int16, n int, top, bottom *byte)
TEXT ·halveAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ top+16(FP), SI
	MOVQ bottom+24(FP), DX
	VPBROADCASTD words<>+12(SB), X2

halve:
	VMOVDQU (SI), X0
	VMOVDQU (DX), X1
	VPMADDUBSW X2, X0, X0
	VPMADDUBSW X2, X1, X1
	VPADDW X1, X0, X0
	VMOVDQU X0, (DI)
	ADDQ $16, SI
	ADDQ $16, DX
	ADDQ $16, DI
	SUBQ $8, CX
	JNZ halve
	VZEROALL
	RET

// func quartersAVX2(dst *int16, n int, src *byte)
TEXT ·quartersAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ src+16(FP), SI

quarters:
	VPMOVZXBW (SI), X0
	VPSLLW $2, X0, X0
	VMOVDQU X0, (DI)
	ADDQ $8, SI
	ADDQ $16, DI
	SUBQ $8, CX
	JNZ quarters
	VZEROALL
	RET

// NUMBERS turns eight sums in Y0 into a network's numbers and stores them.
#define NUMBERS(to) \
	VPADDD Y9, Y0, Y0        \
	VPSRAD $9, Y0, Y0        \
	VPMAXSD Y10, Y0, Y0      \
	VPMINSD Y11, Y0, Y0      \
	VCVTDQ2PS Y0, Y0         \
	VMULPS Y12, Y0, Y0       \
	VSUBPS Y13, Y0, Y0       \
	VMULPS Y14, Y0, Y0       \
	VMOVUPS Y0, (to)         \
	ADDQ $32, to

// func convertAVX2(red, green, blue *float32, y, cb, cr *int16, n int, mean, scale float32)
TEXT ·convertAVX2(SB), NOSPLIT, $0-64
	MOVQ red+0(FP), DI
	MOVQ green+8(FP), R8
	MOVQ blue+16(FP), R9
	MOVQ y+24(FP), SI
	MOVQ cb+32(FP), R10
	MOVQ cr+40(FP), R11
	MOVQ n+48(FP), CX
	VBROADCASTSS mean+56(FP), Y13
	VBROADCASTSS scale+60(FP), Y14
	VPBROADCASTD words<>+16(SB), X15
	VPBROADCASTD words<>+20(SB), Y5
	VPBROADCASTD words<>+24(SB), Y6
	VPBROADCASTD words<>+28(SB), Y7
	VPBROADCASTD words<>+32(SB), Y8
	VPBROADCASTD words<>+4(SB), Y9
	VPXOR Y10, Y10, Y10
	VPBROADCASTD words<>+36(SB), Y11
	VBROADCASTSS words<>+40(SB), Y12

convert:
	VPMOVZXWD (SI), Y1             // y, 0
	VMOVDQU (R10), X2
	VPSUBW X15, X2, X2
	VPMOVZXWD X2, Y2               // cb, 0
	VMOVDQU (R11), X3
	VPSUBW X15, X3, X3
	VPMOVZXWD X3, Y3
	VPSLLD $16, Y3, Y3
	VPOR Y1, Y3, Y3                // y, cr
	VPMADDWD Y5, Y3, Y0
	NUMBERS(DI)
	VPMADDWD Y6, Y3, Y0
	VPMADDWD Y7, Y2, Y4
	VPADDD Y4, Y0, Y0
	NUMBERS(R8)
	VPSLLD $16, Y2, Y2
	VPOR Y1, Y2, Y2                // y, cb
	VPMADDWD Y8, Y2, Y0
	NUMBERS(R9)
	ADDQ $16, SI
	ADDQ $16, R10
	ADDQ $16, R11
	SUBQ $8, CX
	JNZ convert
	VZEROALL
	RET

// func convolveAVX2(dst *float32, n int, src *float32, stride int, taps *[9]float32)
TEXT ·convolveAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ src+16(FP), SI
	MOVQ stride+24(FP), R8
	SHLQ $2, R8                    // in bytes
	MOVQ taps+32(FP), DX
	VBROADCASTSS (DX), Y3
	VBROADCASTSS 4(DX), Y4
	VBROADCASTSS 8(DX), Y5
	VBROADCASTSS 12(DX), Y6
	VBROADCASTSS 16(DX), Y7
	VBROADCASTSS 20(DX), Y8
	VBROADCASTSS 24(DX), Y9
	VBROADCASTSS 28(DX), Y10
	VBROADCASTSS 32(DX), Y11

convolve:
	VMULPS (SI), Y3, Y0
	LEAQ (SI)(R8*1), R9
	VMULPS (R9), Y4, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y5, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y6, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y7, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y8, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y9, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y10, Y1
	VADDPS Y1, Y0, Y0
	ADDQ R8, R9
	VMULPS (R9), Y11, Y1
	VADDPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ convolve
	VZEROALL
	RET
