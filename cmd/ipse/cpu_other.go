//go:build !linux

package main

import "time"

// processCPU and threadCPU are the clock's time where processor time is not read.
func processCPU() time.Duration { return time.Duration(time.Now().UnixNano()) }

func threadCPU() time.Duration { return processCPU() }
