//go:build !unix

package ngebm

// ProcessTime is not known here.
func ProcessTime() float64 { return 0 }
