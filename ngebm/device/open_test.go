package device_test

import (
	"fmt"
	"log"
	"os"
	"strings"
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
	t.Setenv("GOMLX_BACKEND", "no such device") // a program's affair
	t.Setenv("NGEBM_DEVICE", "no such device")
	for _, spec := range []string{"cpu", "xla:cpu", "xla:cpu,noshared_buffers", "hlo:cpu", "go", "go:", ""} {
		d, err := device.Open(spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(spec, "is", d)
		y, err := square(d)
		if err != nil || y != 36 {
			t.Errorf("%q computes %v, %v, want 36", spec, y, err)
		}
		switch {
		case strings.HasPrefix(spec, "go"):
			if !device.IsGo(d.Backend) || d.Kind != device.Go || d.Plugin != "" {
				t.Errorf("%q is %+v", spec, d)
			}
		case spec == "": // the CPU or, where there is one, the GPU
			if device.IsGo(d.Backend) {
				t.Errorf("the automatic choice is pure Go")
			}
		default:
			if device.IsGo(d.Backend) || d.Kind != device.CPU || d.Count != 1 {
				t.Errorf("%q is %+v, want one CPU device", spec, d)
			}
			if _, err := os.Stat(d.Plugin); err != nil {
				t.Error(err)
			}
		}
		d.Close()
	}
}

// The CPU shows as many devices as are asked for; pure Go has one.
func TestOpenSeveralDevices(t *testing.T) {
	open := func(kind string, devices int) (*device.Device, error) {
		return device.OpenContext(t.Context(), device.Options{Device: kind, Devices: devices})
	}
	d, err := open("cpu", 4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Count != 4 || !strings.Contains(d.String(), "4 devices") {
		t.Errorf("%v has %d devices, want 4", d, d.Count)
	}
	for _, c := range []struct {
		kind    string
		devices int
		want    string
	}{
		{"go", 4, `4 devices are asked for, but go has 1; ask for fewer, or for "cpu"`},
		{"cpu", -1, "-1 devices cannot be opened; ask for 1 or more"},
		{"cpu", 257, "257 devices cannot be opened; ask for 256 at most"},
	} {
		if _, err := open(c.kind, c.devices); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
	}
}
