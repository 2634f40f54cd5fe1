package cpuconv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/go-xla/types"
	"github.com/gomlx/go-xla/types/shapes"

	"ngebm/ngebm/device/internal/cpuconv"
)

// network is a program with a convolution and what a network may do around it. Its inputs are x, w, a bias and a
// tensor to add.
func (c convolution) network(t testing.TB, do func(b *around) *stablehlo.Value) []byte {
	t.Helper()
	b := stablehlo.New("test")
	n := &around{t: t, c: c}
	n.main = b.Main()
	for _, in := range []struct {
		to    **stablehlo.Value
		name  string
		shape []int
	}{{&n.x, "x", c.x()}, {&n.w, "w", c.w()}, {&n.bias, "bias", []int{c.out}}, {&n.also, "also", c.y()}} {
		var err error
		*in.to, err = n.main.NamedInput(in.name, shapes.Make(dtypes.Float32, in.shape...))
		check(t, err)
	}
	check(t, n.main.Return(do(n)))
	program, err := b.Build()
	check(t, err)
	return program
}

// around writes a network's ops as GoMLX does.
type around struct {
	t                testing.TB
	c                convolution
	main             *stablehlo.Function
	x, w, bias, also *stablehlo.Value
}

func (a *around) ok(v *stablehlo.Value, err error) *stablehlo.Value {
	a.t.Helper()
	check(a.t, err)
	return v
}

func (a *around) convolve(x *stablehlo.Value) *stablehlo.Value {
	a.t.Helper()
	return a.c.of(a.t, x, a.w)
}

// everywhere is a number for each number of another value.
func (a *around) everywhere(x float32, like *stablehlo.Value) *stablehlo.Value {
	c := a.ok(a.main.ConstantFromScalar(x))
	return a.ok(stablehlo.BroadcastInDim(c, like.Shape(), []int{}))
}

func (a *around) leaky(x *stablehlo.Value, slope float32, direction types.ComparisonDirection) *stablehlo.Value {
	positive := a.ok(stablehlo.Compare(x, a.everywhere(0, x), direction, types.CompareFloat))
	return a.ok(stablehlo.Select(positive, x, a.ok(stablehlo.Multiply(x, a.everywhere(slope, x)))))
}

func (a *around) biased(y *stablehlo.Value) *stablehlo.Value {
	r := a.ok(stablehlo.Reshape(a.bias, shapes.Make(dtypes.Float32, 1, 1, 1, a.c.out)))
	return a.ok(stablehlo.Add(y, a.ok(stablehlo.BroadcastInDim(r, y.Shape(), []int{0, 1, 2, 3}))))
}

// dead is an op of a program, whose result is its first group.
var dead = regexp.MustCompile(`(?m)^ +(%\w+) = "stablehlo[^{}\n]*(?:\{[^{}]*\}[^{}\n]*)?\n`)

// alive is a program without ops whose results nothing needs, which XLA removes.
func alive(program string) string {
	for {
		smaller := dead.ReplaceAllStringFunc(program, func(op string) string {
			name := dead.FindStringSubmatch(op)[1]
			if len(regexp.MustCompile(name+`\b`).FindAllString(program, -1)) == 1 {
				return ""
			}
			return op
		})
		if smaller == program {
			return program
		}
		program = smaller
	}
}

// What networks do before and after a convolution becomes part of its call, where nothing else needs what is between,
// and the results are those of XLA for the program as it was.
func TestAround(t *testing.T) {
	one, two, same := [2]int{1, 1}, [2]int{2, 2}, [2][2]int{{1, 1}, {1, 1}}
	winograd := convolution{2, 16, 32, [2]int{13, 14}, [2]int{3, 3}, one, same, 0, false}
	tiles := convolution{1, 5, 32, [2]int{8, 9}, [2]int{3, 3}, two, same, 0, false}
	single := convolution{3, 16, 16, [2]int{6, 7}, [2]int{1, 1}, one, [2][2]int{}, 0, false}
	cropped := convolution{2, 5, 16, [2]int{6, 7}, [2]int{2, 2}, [2]int{1, 3}, [2][2]int{{1, 0}, {-2, 3}}, 0, false}
	for name, c := range map[string]struct {
		do      func(a *around) *stablehlo.Value
		left    string // ops that are still there
		without string // ops that no result depends on
	}{
		"bias": {func(a *around) *stablehlo.Value { return (a.biased(a.convolve(a.x))) }, "", "add"},
		"a sum": {func(a *around) *stablehlo.Value {
			return (a.ok(stablehlo.Add(a.also, a.convolve(a.x))))
		}, "", "add"},
		"LeakyReLU": {func(a *around) *stablehlo.Value {
			return a.convolve(a.leaky(a.x, .2, types.CompareGT))
		}, "", "select"},
		"all three": {func(a *around) *stablehlo.Value {
			return (a.ok(stablehlo.Add(a.biased(a.convolve(a.leaky(a.x, -.5, types.CompareGT))), a.also)))
		}, "", "add select"},
		"two convolutions, added": {func(a *around) *stablehlo.Value {
			return (a.ok(stablehlo.Add(a.biased(a.convolve(a.x)), a.biased(a.convolve(a.leaky(a.x, .1, types.CompareGT))))))
		}, "", "add select"},
		"a convolution that is used twice": {func(a *around) *stablehlo.Value {
			y := a.convolve(a.x)
			return a.ok(stablehlo.Add(a.biased(y), a.ok(stablehlo.Multiply(y, a.also))))
		}, "add", ""},
		"the sum with itself": {func(a *around) *stablehlo.Value {
			y := a.convolve(a.x)
			return a.ok(stablehlo.Add(y, y))
		}, "add", ""},
		"another comparison": {func(a *around) *stablehlo.Value {
			return a.convolve(a.leaky(a.x, .2, types.CompareLT))
		}, "select", ""},
		"LeakyReLU that is used twice": {func(a *around) *stablehlo.Value {
			x := a.leaky(a.x, .2, types.CompareGT)
			return a.ok(stablehlo.Add(a.convolve(x), a.convolve(x)))
		}, "", "select"},
	} {
		for _, shape := range []convolution{winograd, tiles, single, cropped} {
			t.Run(fmt.Sprint(name, shape), func(t *testing.T) {
				program := shape.network(t, c.do)
				rewritten := cpuconv.Rewrite(program)
				live := alive(string(rewritten))
				if strings.Contains(live, "stablehlo.convolution") {
					t.Fatalf("convolutions are left in\n%s", live)
				}
				for _, op := range strings.Fields(c.left) {
					if !strings.Contains(live, "stablehlo."+op) {
						t.Errorf("no %s in\n%s", op, live)
					}
				}
				for _, op := range strings.Fields(c.without) {
					if strings.Contains(live, "stablehlo."+op) {
						t.Errorf("%s in\n%s", op, live)
					}
				}
				r := rand.New(rand.NewPCG(5, 6))
				in := [][]float32{normal(r, shape.x()), normal(r, shape.w()), normal(r, []int{shape.out}), normal(r, shape.y())}
				dims := [][]int{shape.x(), shape.w(), {shape.out}, shape.y()}
				want, got := compiled(t, program, dims...)(in...), compiled(t, rewritten, dims...)(in...)
				largest := 0.
				for _, v := range want {
					largest = max(largest, math.Abs(float64(v)))
				}
				for i := range want {
					if off := math.Abs(float64(got[i] - want[i])); !(off < 5e-6*largest) {
						t.Fatalf("number %d is %g, want XLA's %g", i, got[i], want[i])
					}
				}
			})
		}
	}
}
