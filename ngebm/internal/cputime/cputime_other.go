//go:build !unix

package cputime

// Process returns 0: the processor time is not known here.
func Process() float64 { return 0 }
