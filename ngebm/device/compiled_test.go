//go:build linux

package device

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// openKept opens the CPU with a folder of compiled programs.
func openKept(t *testing.T, dir string, devices int) (d *Device, reports *recorder) {
	t.Helper()
	reports = &recorder{}
	d, err := OpenContext(t.Context(), Options{Device: CPU, Devices: devices, CompileCache: dir, Progress: reports})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, reports
}

// gradients compiles and runs a program with convolutions, products, sums and a second
// derivative, and returns the bits of its results.
func gradients(t *testing.T, d *Device) (bits []uint32) {
	t.Helper()
	exec, err := graph.NewExec(d.Backend, func(x, kernel, w *graph.Node) []*graph.Node {
		h := graph.Tanh(graph.Convolve(x, kernel).PadSame().Done())
		h = graph.MatMul(graph.Reshape(h, 16, 256), w)
		energy := graph.ReduceAllSum(graph.Log(graph.ReduceSum(graph.Exp(h), -1)))
		slope := graph.Gradient(energy, x)[0]
		return graph.Gradient(graph.ReduceAllSum(graph.Square(slope)), kernel, w)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(ramp(16, 8, 8, 1), ramp(3, 3, 1, 4), ramp(256, 10))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		for _, v := range tensors.MustCopyFlatData[float32](o) {
			bits = append(bits, math.Float32bits(v))
		}
	}
	return bits
}

// ramp is a tensor of numbers between -1 and 1.
func ramp(dims ...int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	flat := make([]float32, n)
	for i := range flat {
		flat[i] = float32(math.Sin(float64(i)))
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

// A loaded program computes what a compiled one does, bit for bit. Where a file cannot be
// loaded, the program is compiled.
func TestCompiledProgramsAreKept(t *testing.T) {
	without, err := Open(CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close()
	want := gradients(t, without)
	dir := filepath.Join(t.TempDir(), "new", "compiled")
	stored := func() string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("the folder has %d files, want 1 (%v)", len(entries), err)
		}
		return filepath.Join(dir, entries[0].Name())
	}
	for _, c := range []struct {
		what             string
		before           func() error
		loaded, compiled int
	}{
		{"an empty folder", func() error { return nil }, 0, 1},
		{"a program that was kept", func() error { return nil }, 1, 0},
		{"a damaged file", func() error { return os.Truncate(stored(), 1000) }, 0, 1},
		{"the file that replaced it", func() error { return nil }, 1, 0},
		{"a file that others may write", func() error { return os.Chmod(stored(), 0o666) }, 0, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := c.before(); err != nil {
				t.Fatal(err)
			}
			d, reports := openKept(t, dir, 1)
			if got := gradients(t, d); !slices.Equal(got, want) {
				t.Error("the result is another than without a cache")
			}
			if loaded, compiled := d.Backend.(*closable).cache.Counts(); loaded != c.loaded || compiled != c.compiled {
				t.Errorf("%d programs were loaded and %d compiled, want %d and %d", loaded, compiled, c.loaded, c.compiled)
			}
			if text := fmt.Sprint(reports); strings.Contains(text, "not kept") {
				t.Error(text)
			}
		})
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	several, _ := openKept(t, dir, 2)
	largest, off := 0., 0.
	for i, bits := range gradients(t, several) { // by XLA's convolutions
		got, want := float64(math.Float32frombits(bits)), float64(math.Float32frombits(want[i]))
		largest, off = max(largest, math.Abs(want)), max(off, math.Abs(got-want))
	}
	if !(off < 1e-4*largest) {
		t.Errorf("with two devices the result is off by %.2g of the largest value", off/largest)
	}
	if _, compiled := several.Backend.(*closable).cache.Counts(); compiled != 1 {
		t.Error("a program for one device of one was loaded for one of two")
	}
}

// A folder that is not fit keeps nothing; the device opens, and a report says why.
func TestUnfitCompileCache(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(open, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                         "not a directory",
		filepath.Join(file, "below"): "not a directory",
		open:                         "chmod go-w",
		link:                         "chmod go-w",
	} {
		if err := os.Chmod(open, 0o770); err != nil {
			t.Fatal(err)
		}
		d, reports := openKept(t, path, 1)
		if text := fmt.Sprint(reports); d.Backend.(*closable).cache != nil || !strings.Contains(text, "compiled programs are not kept: ") || !strings.Contains(text, want) {
			t.Errorf("%s: reports are %s", path, text)
		}
	}
	if err := os.Chmod(open, 0o700); err != nil {
		t.Fatal(err)
	}
	asOther(t, open)
	if d, reports := openKept(t, open, 1); d.Backend.(*closable).cache != nil || !strings.Contains(fmt.Sprint(reports), "belongs to user") {
		t.Errorf("reports are %v", reports)
	}
}
