// Package devmem keeps a device's memory small.
package devmem

import (
	"errors"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
)

// Free frees the memory of tensors, here and on the device, without waiting for the
// garbage collector, which does not see the device's.
func Free(ts ...*tensors.Tensor) error {
	var errs []error
	for _, t := range ts {
		errs = append(errs, t.FinalizeAll())
	}
	return errors.Join(errs...)
}

// AwaitRelease waits for a thousandth of the time that an execution took. XLA's thread on
// the CPU hands over the results and only then frees the execution's other tensors; it
// does not report when. Were the next execution begun before, the tensors of both would be
// in memory at once.
func AwaitRelease(took time.Duration) { time.Sleep(took / 1000) }
