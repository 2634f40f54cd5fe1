package device_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/device"
)

// slow is elementwise, since pure Go's matrix products do not stand -race's pointer checks.
func slow(t *testing.T, d *device.Device) *graph.Exec {
	t.Helper()
	exec, err := graph.NewExec(d.Backend, func(x *graph.Node) *graph.Node {
		for range 50 {
			x = graph.Tanh(graph.Add(x, graph.Mul(x, x)))
		}
		return x
	})
	if err != nil {
		t.Fatal(err)
	}
	return exec
}

// A device is closed while goroutines compile, execute and read on it: each call gives its
// result or ErrClosed, and later ones fail. XLA would end the process.
func TestCloseWhileRunning(t *testing.T) {
	for _, kind := range []string{device.CPU, device.Go} {
		for _, after := range []time.Duration{0, time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
			d, err := device.Open(kind, nil)
			if err != nil {
				t.Fatal(err)
			}
			const n = 100
			exec := slow(t, d)
			x := tensors.FromShape(shapes32(n, n))
			first, err := exec.Call(x)
			if err != nil {
				t.Fatal(err)
			}
			var running sync.WaitGroup
			var worked, failed atomic.Int64
			for i := range 8 {
				running.Go(func() {
					mine := exec
					for {
						if i == 0 {
							mine = slow(t, d) // compiles
						}
						out, err := mine.Call(tensors.FromShape(shapes32(n, n)))
						if err != nil {
							if failed.Add(1); !errors.Is(err, device.ErrClosed) {
								t.Errorf("%s: %v", kind, err)
							}
							return
						}
						worked.Add(1)
						if got := out[0].Value().([][]float32); got[n-1][n-1] != 0 {
							t.Errorf("%s: the result is %v", kind, got[n-1][n-1])
						}
					}
				})
			}
			time.Sleep(after)
			var closing sync.WaitGroup
			for range 3 {
				closing.Go(d.Close)
			}
			closing.Wait()
			running.Wait()
			if failed.Load() != 8 {
				t.Errorf("%s: %d calls failed after the device was closed, want 8", kind, failed.Load())
			}
			if _, err := exec.Call(x); !errors.Is(err, device.ErrClosed) {
				t.Errorf("%s: after closing: %v", kind, err)
			}
			if _, err := graph.NewExec(d.Backend, func(x *graph.Node) *graph.Node { return x }); err != nil && !errors.Is(err, device.ErrClosed) {
				t.Errorf("%s: %v", kind, err)
			}
			_ = first[0].Shape()
			t.Logf("%s closed after %v: %d calls worked", kind, after, worked.Load())
		}
	}
}

func shapes32(dimensions ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dimensions...) }

// A backend that can be closed still says which plugin it is: graphs are built by it.
func TestPluginName(t *testing.T) {
	d, err := device.Open("cpu", nil)
	if err != nil {
		t.Fatal(err)
	}
	named, ok := d.Backend.(interface{ PluginName() string })
	if !ok || !strings.Contains(filepath.Base(named.PluginName()), "cpu") {
		t.Errorf("%T does not say that it is XLA's on the CPU", d.Backend)
	}
}
