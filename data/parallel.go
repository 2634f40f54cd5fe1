package data

import (
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// parallelFor calls do for 0 … n-1 on all processors, in any order, and returns an error if one
// call did. What do computes must depend on its argument only.
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
					next.Store(int64(n)) // stop the other workers
					return err
				}
			}
		})
	}
	return workers.Wait()
}
