//go:build !unix

package ngebm

// processTime is not known here.
func processTime() float64 { return 0 }
