package cpuconv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/go-xla/types"
	"github.com/gomlx/go-xla/types/shapes"

	"ngebm/ngebm/device"
	"ngebm/ngebm/device/internal/cpuconv"
)

// convolution is one to test: images of size rows and columns.
type convolution struct {
	images, in, out     int
	size, kernel, steps [2]int
	pads                [2][2]int
	dilation            int  // of the input; 0 is 1
	swapped             bool // has the program's kernel its output channels first?
}

func (c convolution) x() []int { return []int{c.images, c.size[0], c.size[1], c.in} }
func (c convolution) w() []int { return []int{c.kernel[0], c.kernel[1], c.in, c.out} }

// programW is the shape of the program's kernel.
func (c convolution) programW() []int {
	w := c.w()
	if c.swapped {
		w[2], w[3] = w[3], w[2]
	}
	return w
}

func (c convolution) y() []int {
	y := []int{c.images, 0, 0, c.out}
	for i := range c.size {
		y[1+i] = (c.size[i]+c.pads[i][0]+c.pads[i][1]-c.kernel[i])/c.steps[i] + 1
	}
	return y
}

// convolutions are those to test: tiles that are not full, panels of 16 and 32 channels and parts of them, 3x3 kernels of few
// and of many channels, which take two ways, kernels with the output channels first, and several groups of images,
// the last of which is smaller.
func convolutions() []convolution {
	same := [2][2]int{{1, 1}, {1, 1}}
	one, two := [2]int{1, 1}, [2]int{2, 2}
	return []convolution{
		{1, 3, 16, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{1, 16, 32, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{1, 32, 48, [2]int{13, 17}, [2]int{3, 3}, one, same, 0, false},
		{3, 17, 16, [2]int{9, 11}, [2]int{3, 3}, one, [2][2]int{{0, 2}, {2, 0}}, 0, false},
		{1, 16, 16, [2]int{14, 15}, [2]int{3, 3}, one, [2][2]int{{3, 1}, {0, 4}}, 0, false},
		{1, 64, 128, [2]int{16, 16}, [2]int{3, 3}, two, [2][2]int{{0, 1}, {0, 1}}, 0, false},
		{8, 128, 128, [2]int{8, 8}, [2]int{3, 3}, one, same, 0, false},
		{1, 128, 128, [2]int{8, 8}, [2]int{3, 3}, one, same, 0, false},
		{2, 16, 32, [2]int{16, 16}, [2]int{1, 1}, one, [2][2]int{}, 0, false},
		{2, 16, 64, [2]int{17, 16}, [2]int{1, 1}, two, [2][2]int{}, 0, false},
		{4, 32, 16, [2]int{7, 5}, [2]int{1, 2}, one, [2][2]int{{0, 0}, {-1, 1}}, 0, false},
		{2, 5, 16, [2]int{6, 7}, [2]int{2, 2}, [2]int{1, 3}, [2][2]int{{1, 0}, {-2, 3}}, 0, false},
		{1, 1, 16, [2]int{1, 1}, [2]int{3, 3}, one, same, 0, false},
		{1, 16, 16, [2]int{1, 200}, [2]int{1, 9}, one, [2][2]int{{0, 0}, {4, 4}}, 0, false},
		{2, 5, 16, [2]int{6, 5}, [2]int{2, 2}, one, [2][2]int{{0, 0}, {10, -12}}, 0, false},
		{37, 32, 16, [2]int{16, 20}, [2]int{3, 3}, one, same, 0, false},
		{37, 32, 16, [2]int{16, 20}, [2]int{3, 3}, two, same, 0, false},
		{9, 3, 16, [2]int{9, 8}, [2]int{2, 3}, one, same, 0, true},
		{9, 16, 48, [2]int{9, 8}, [2]int{3, 3}, one, same, 0, true},
		{9, 32, 3, [2]int{9, 8}, [2]int{3, 3}, one, same, 0, true},
		{2, 5, 1, [2]int{9, 8}, [2]int{3, 2}, two, same, 0, false},
		{2, 16, 37, [2]int{9, 8}, [2]int{1, 1}, one, same, 0, false},
		{5, 3, 16, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{3, 16, 32, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{2, 64, 128, [2]int{16, 16}, [2]int{3, 3}, two, [2][2]int{{0, 1}, {0, 1}}, 0, false},
		{20, 128, 128, [2]int{8, 8}, [2]int{3, 3}, one, same, 0, false},
		{32, 16, 64, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{8, 64, 64, [2]int{32, 32}, [2]int{3, 3}, one, same, 0, false},
		{8, 64, 128, [2]int{32, 32}, [2]int{3, 3}, two, same, 0, false},
		{8, 128, 256, [2]int{16, 16}, [2]int{3, 3}, two, same, 0, false},
		{8, 256, 256, [2]int{8, 8}, [2]int{3, 3}, one, same, 0, false},
		{5, 32, 48, [2]int{8, 8}, [2]int{2, 2}, two, [2][2]int{}, 0, false},
		{5, 32, 32, [2]int{8, 8}, [2]int{2, 2}, two, [2][2]int{}, 0, false},
		{3, 32, 16, [2]int{9, 9}, [2]int{1, 1}, [2]int{3, 3}, [2][2]int{}, 0, false},
	}
}

// program is what go-xla writes for it.
func (c convolution) program(t testing.TB) []byte {
	t.Helper()
	b := stablehlo.New("test")
	main := b.Main()
	x, err := main.NamedInput("x", shapes.Make(dtypes.Float32, c.x()...))
	check(t, err)
	w, err := main.NamedInput("w", shapes.Make(dtypes.Float32, c.programW()...))
	check(t, err)
	check(t, main.Return(c.of(t, x, w)))
	program, err := b.Build()
	check(t, err)
	return program
}

// of is the convolution in a program.
func (c convolution) of(t testing.TB, x, w *stablehlo.Value) *stablehlo.Value {
	t.Helper()
	dilation, in, out := max(c.dilation, 1), 2, 3
	if c.swapped {
		in, out = 3, 2
	}
	y, err := stablehlo.Convolution(x, w, c.steps[:], c.pads[:], []int{dilation, dilation}, []int{1, 1},
		0, 3, []int{1, 2}, in, out, []int{0, 1}, 0, 3, []int{1, 2}, 1, 1,
		types.DotGeneralPrecisionDefault, types.DotGeneralPrecisionDefault)
	check(t, err)
	return y
}

// reference computes it in float64 from its definition.
func (c convolution) reference(x, w []float32) []float64 {
	xs, ws, ys := c.x(), c.w(), c.y()
	var out []float64
	for n := range ys[0] {
		for i := range ys[1] {
			for j := range ys[2] {
				for o := range ys[3] {
					sum := 0.
					for a := range ws[0] {
						for b := range ws[1] {
							h, v := i*c.steps[0]+a-c.pads[0][0], j*c.steps[1]+b-c.pads[1][0]
							if h < 0 || h >= xs[1] || v < 0 || v >= xs[2] {
								continue
							}
							for k := range ws[2] {
								sum += float64(x[((n*xs[1]+h)*xs[2]+v)*xs[3]+k]) * float64(w[((a*ws[1]+b)*ws[2]+k)*ws[3]+o])
							}
						}
					}
					out = append(out, sum)
				}
			}
		}
	}
	return out
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is XLA's CPU with the function registered.
var client = sync.OnceValues(func() (*pjrt.Client, error) {
	d, err := device.Open(device.CPU, nil)
	if err != nil {
		return nil, err
	}
	if err := cpuconv.Register(d.Plugin); err != nil {
		return nil, nil // no code for this machine
	}
	plugin, err := pjrt.GetPlugin(d.Plugin)
	if err != nil {
		return nil, err
	}
	return plugin.NewClient(pjrt.NamedValuesMap{"cpu_device_count": int64(1)})
})

// compiled returns a function that runs a program with inputs of these shapes.
func compiled(t testing.TB, program []byte, dims ...[]int) func(in ...[]float32) []float32 {
	t.Helper()
	client, err := client()
	check(t, err)
	if client == nil {
		t.Skip("SKIPPED: there is no code for this machine's processor")
	}
	exec, err := client.Compile().WithStableHLO(program).Done()
	check(t, err)
	return func(in ...[]float32) []float32 {
		var buffers []*pjrt.Buffer
		for i, x := range in {
			b, err := pjrt.ArrayToBuffer(client, x, dims[i]...)
			check(t, err)
			buffers = append(buffers, b)
		}
		out, err := exec.Execute(buffers...).Done()
		check(t, err)
		y, _, err := pjrt.BufferToArray[float32](out[0])
		check(t, err)
		return y
	}
}

func normal(r *rand.Rand, dims []int) []float32 {
	n := 1
	for _, d := range dims {
		n *= d
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// oneCall rewrites a program, whose only convolution becomes a call.
func oneCall(t *testing.T, program []byte) []byte {
	t.Helper()
	program = cpuconv.Rewrite(program)
	if n := strings.Count(string(program), "stablehlo.custom_call"); n != 1 || strings.Contains(string(program), "stablehlo.convolution") {
		t.Fatalf("%d calls in %s", n, program)
	}
	return program
}

// compare compares what a program gives, twice, with what is wanted.
func compare(t *testing.T, run func(in ...[]float32) []float32, want []float64, in ...[]float32) {
	t.Helper()
	got, again := run(in...), run(in...)
	largest, off := 0., 0.
	for i := range want {
		largest, off = max(largest, math.Abs(want[i])), max(off, math.Abs(float64(got[i])-want[i]))
		if got[i] != again[i] {
			t.Fatalf("number %d is %g, and %g the second time", i, got[i], again[i])
		}
	}
	if !(off <= 1e-5*largest) { // not a number, too
		t.Errorf("off by %.2g of the largest value", off/largest)
	}
}

// swapped has the channels of a kernel in the other order.
func swapped(w []float32, in, out int) []float32 {
	s := make([]float32, len(w))
	for i, v := range w {
		position, a, o := i/(in*out), i/out%in, i%out
		s[(position*out+o)*in+a] = v
	}
	return s
}

// A convolution is the sum of its definition, whatever its size, kernel, strides, padding and channels. Twice the same is
// the same bit for bit.
func TestConvolutions(t *testing.T) {
	for _, c := range convolutions() {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			program := oneCall(t, c.program(t))
			r := rand.New(rand.NewPCG(1, 2))
			x, w := normal(r, c.x()), normal(r, c.w())
			in := w
			if c.swapped {
				in = swapped(w, c.in, c.out)
			}
			compare(t, compiled(t, program, c.x(), c.programW()), c.reference(x, w), x, in)
		})
	}
}

// A plugin that is known by one path is known by another.
func TestRegisterAgain(t *testing.T) {
	d, err := device.Open(device.CPU, nil)
	check(t, err)
	if err := cpuconv.Register(d.Plugin); err != nil {
		t.Skip("SKIPPED: ", err)
	}
	link := filepath.Join(t.TempDir(), "plugin.so")
	check(t, os.Symlink(d.Plugin, link))
	for _, path := range []string{d.Plugin, link} {
		if err := cpuconv.Register(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := cpuconv.Register(filepath.Join(t.TempDir(), "none.so")); err == nil {
		t.Error("a plugin that does not exist is registered")
	}
}

// Many calls at the same time share threads, and each gives the same bits, with products too small for
// float32's usual form, too, which threads could treat differently.
func TestManyAtOnce(t *testing.T) {
	c := convolution{1, 32, 64, [2]int{16, 16}, [2]int{3, 3}, [2]int{1, 1}, [2][2]int{{1, 1}, {1, 1}}, 0, false}
	r := rand.New(rand.NewPCG(3, 4))
	x, w := normal(r, c.x()), normal(r, c.w())
	for i := range x {
		x[i] *= 1e-38
	}
	run := compiled(t, cpuconv.Rewrite(c.program(t)), c.x(), c.w())
	want := run(x, w)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				for i, v := range run(x, w) {
					if v != want[i] {
						t.Errorf("number %d is %g, want %g", i, v, want[i])
						return
					}
				}
			}
		})
	}
	wait.Wait()
}

// What there is no code for stays as it is.
func TestOthersStay(t *testing.T) {
	fits := convolution{8, 16, 16, [2]int{8, 8}, [2]int{3, 3}, [2]int{1, 1}, [2][2]int{{1, 1}, {1, 1}}, 0, false}
	if program := fits.program(t); string(cpuconv.Rewrite(program)) == string(program) {
		t.Fatal("a convolution stays")
	}
	for name, change := range map[string]func(c *convolution){
		"a kernel of 4x4":                     func(c *convolution) { c.kernel = [2]int{4, 4} },
		"dilation of the input":               func(c *convolution) { c.dilation = 2 },
		"more than 1 GiB of transformed rows": func(c *convolution) { c.images, c.size = 1, [2]int{3600, 3600} },
		"more than 1 GiB for 16 channels":     func(c *convolution) { c.in, c.out, c.size = 1, 1, [2]int{2000, 2000} },
	} {
		c := fits
		change(&c)
		if program := c.program(t); string(cpuconv.Rewrite(program)) != string(program) {
			t.Errorf("%s: rewritten", name)
		}
	}
	inLoop := []byte(strings.ReplaceAll(string(fits.program(t)), "\n    %", "\n          %"))
	if program := cpuconv.Rewrite(inLoop); !strings.Contains(string(program), "\n          %ours$") {
		t.Errorf("a convolution in a loop's function stays, or loses its place:\n%s", program)
	}
	two := strings.Replace(string(fits.program(t)), "\n}\n", "\n  func.func @other() -> () {\n  }\n}\n", 1)
	if !strings.Contains(string(cpuconv.Rewrite([]byte(two))), "%ours$") {
		t.Error("a convolution of a program of two functions stays")
	}
	many := strings.Replace(string(fits.program(t)), "module @test {", "module @test attributes {mhlo.num_partitions = 2 : i32} {", 1)
	if string(cpuconv.Rewrite([]byte(many))) != many {
		t.Error("a program for two devices is rewritten")
	}
}
