package data

import (
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// parallelFor calls do for 0 … n-1 on all processors, in no particular order,
// and returns an error if one did. What do makes must depend on its argument
// only.
func parallelFor(n int, do func(i int) error) error {
	var workers errgroup.Group
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := do(i); err != nil {
					next.Store(int64(n)) // the others need not go on
					return err
				}
			}
		})
	}
	return workers.Wait()
}
