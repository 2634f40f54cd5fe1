package device_test

import (
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/device"
)

// square runs (1+2+3)² on a device.
func square(d *device.Device) (float32, error) {
	exec, err := graph.NewExec(d.Backend, func(x *graph.Node) *graph.Node {
		return graph.Square(graph.ReduceAllSum(x))
	})
	if err != nil {
		return 0, err
	}
	out, err := exec.Call([]float32{1, 2, 3})
	if err != nil {
		return 0, err
	}
	return out[0].Value().(float32), nil
}

func ExampleOpen() {
	d, err := device.Open("cpu", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	y, err := square(d)
	fmt.Println(d.Kind, d.Count, y, err)
	// Output: cpu 1 36 <nil>
}

// The plugin is a true need of the project: without one this fails.
func TestOpenCPU(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for _, spec := range []string{"cpu", "xla:cpu", "xla:cpu,noshared_buffers", "go", "go:"} {
		d, err := device.Open(spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(spec, "is", d)
		y, err := square(d)
		if err != nil || y != 36 {
			t.Errorf("%s computes %v, %v, want 36", spec, y, err)
		}
		if d.Count != 1 {
			t.Errorf("%s has %d devices, want 1", spec, d.Count)
		}
		if spec[0] != 'g' {
			if _, err := os.Stat(d.Plugin); err != nil {
				t.Error(err)
			}
		}
		d.Close()
	}
}
