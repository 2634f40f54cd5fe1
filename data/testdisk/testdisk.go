// Package testdisk is for tests only: small disks that fill up or turn read-only, how often a
// long test repeats, and which files a test depends on. It reads NGEBM_LONG and must not be
// imported by a library or program.
package testdisk

import "os"

// Times returns how often a test repeats something: few in every run of the tests, or full
// with NGEBM_LONG=1.
func Times(few, full int) int {
	if os.Getenv("NGEBM_LONG") != "" {
		return full
	}
	return few
}
