// Package faulttest is what tests of faults share: how often to try, and disks that fail.
package faulttest

import "os"

// Times is how often something is tried: a few times in every run of the tests, and in
// full with NGEBM_LONG=1.
func Times(few, full int) int {
	if os.Getenv("NGEBM_LONG") != "" {
		return full
	}
	return few
}
