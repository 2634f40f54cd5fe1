package convgrad_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/testdevice"
)

// withLibrary runs f with GoMLX's own gradient of convolutions in the table. No
// test of this package runs beside another, so nobody reads the table meanwhile.
func withLibrary(f func()) {
	ours := VJPRegistration[NodeTypeConvGeneral]
	VJPRegistration[NodeTypeConvGeneral] = convgrad.Library
	defer func() { VJPRegistration[NodeTypeConvGeneral] = ours }()
	f()
}

// firstOrder returns a convolution's two first derivatives, and the sum that they
// are derivatives of.
func firstOrder(c convolution) func(in []*Node) []*Node {
	return func(in []*Node) []*Node {
		s := ReduceAllSum(Square(c.apply(in[0], in[1])))
		return append([]*Node{s}, Gradient(s, in...)...)
	}
}

// The package can go when the library's own gradient gives the second derivative
// of a strided convolution and the first of one with an even kernel. This test
// fails then.
func TestStillNeeded(t *testing.T) {
	at := stridedInputs(9)
	var even, ours [][]float64
	twice := exceptions.TryCatch[error](func() {
		g := NewGraph(testdevice.Open(t, goBackend), "twice")
		withLibrary(func() {
			x, w := Parameter(g, "x", shapeOf([]int{1, 6, 1})), Parameter(g, "w", shapeOf([]int{3, 1, 1}))
			s := ReduceAllSum(Square(Convolve(x, w).Strides(2).Done()))
			Gradient(ReduceAllSum(Gradient(s, x)[0]), w)
		})
	})
	c := convolution{size: []int{8, 8}, kernel: []int{4, 4}}
	run := func() [][]float64 {
		return call(t, MustNewExec(testdevice.Open(t, goBackend), firstOrder(c)), dtypes.Float64, at[0], at[1])
	}
	ours = run()
	withLibrary(func() { even = run() })
	wrong := relativeError(even[1], ours[1])
	t.Logf("GoMLX alone: second derivative of a strided convolution: %v; first derivative for a 4×4 kernel off by %.2g of its size", twice, wrong)
	if twice == nil && wrong < 1e-10 {
		t.Error("this GoMLX differentiates convolutions by itself: delete ngebm/internal/convgrad, its imports, and the words about it in design.md and README.md")
	}
}

// Derivatives of any order are made of the three forms of the package comment,
// however many convolutions they take: what is fast in ordinary training is all
// that runs.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		convolution
		forms [][3]int // C, I, K: stride, input dilation, kernel dilation
	}{
		{convolution{size: []int{8, 8}, kernel: []int{3, 3}, strides: []int{2, 2}}, [][3]int{{2, 1, 1}, {1, 2, 1}, {1, 1, 2}}},
		{convolution{size: []int{9, 9}, kernel: []int{3, 3}, dilation: []int{2, 2}}, [][3]int{{1, 1, 2}, {1, 1, 2}, {2, 1, 1}}},
	} {
		g := NewGraph(testdevice.Open(t, goBackend), "forms")
		xs, ws := c.shapes()
		x, w := Parameter(g, "x", shapeOf(xs)), Parameter(g, "w", shapeOf(ws))
		s := ReduceAllSum(Sin(c.apply(x, w)))
		for range 3 {
			both := Gradient(s, x, w)
			s = Add(dot(both[0], both[0]), dot(both[1], both[1]))
		}
		count := map[[3]int]int{}
		for _, n := range g.Nodes() {
			if n.Type() == NodeTypeConvGeneral {
				count[convgrad.Form(n)]++
			}
		}
		t.Log(c.convolution, "forms:", count)
		for form := range count {
			if !slices.Contains(c.forms, form) {
				t.Errorf("%v: form %v is none of %v", c.convolution, form, c.forms)
			}
		}
	}
}

// Where the library's first derivatives are right, ours are the same operations
// on the same shapes and give the same bits.
func TestFirstOrderIsTheLibrarys(t *testing.T) {
	for _, c := range []convolution{
		{size: []int{8, 8}, kernel: []int{3, 3}},
		{size: []int{8, 8}, kernel: []int{3, 3}, pads: [][2]int{{1, 1}, {1, 1}}, first: true},
		{size: []int{8, 7}, kernel: []int{3, 3}, pads: [][2]int{{1, 1}, {1, 1}}, strides: []int{2, 2}},
		{size: []int{8, 8}, kernel: []int{1, 1}, strides: []int{2, 2}},
		{size: []int{9}, kernel: []int{3}, dilation: []int{2}, first: true},
		{size: []int{9}, kernel: []int{3}, channelGroups: 2, strides: []int{2}},
		{size: []int{9}, kernel: []int{3}, batchGroups: 2},
	} {
		x, w := c.shapes()
		operations := func() (ops []string) {
			g := NewGraph(testdevice.Open(t, goBackend), "operations")
			defer g.Finalize()
			firstOrder(c)([]*Node{Parameter(g, "x", shapeOf(x)), Parameter(g, "w", shapeOf(w))})
			for _, n := range g.Nodes() {
				ops = append(ops, fmt.Sprint(n.Type(), n.Shape()))
			}
			slices.Sort(ops) // groups come in another order
			return ops
		}
		r := rand.New(rand.NewPCG(11, 0))
		in := []array{normal(r, x...), normal(r, w...)}
		values := func() [][]float64 {
			return call(t, MustNewExec(testdevice.Open(t, goBackend), firstOrder(c)), dtypes.Float64, in...)
		}
		gotOps, got := operations(), values()
		withLibrary(func() {
			if want := operations(); !slices.Equal(gotOps, want) {
				t.Errorf("%v: operations are\n%s\nthe library's are\n%s", c, strings.Join(gotOps, "\n"), strings.Join(want, "\n"))
			}
			for i, want := range values() {
				if !slices.Equal(got[i], want) {
					t.Errorf("%v: value %d is off by %.2g", c, i, relativeError(got[i], want))
				}
			}
		})
	}
}

// Graphs may be built, compiled and run in many goroutines at once (run it under
// -race), and give the same.
func TestConcurrentGraphs(t *testing.T) {
	at := stridedInputs(12)
	results := make([][][]float64, 8)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			b := testdevice.Open(t, goBackend)
			exec, err := NewExec(b, func(in []*Node) []*Node {
				g := Gradient(ReduceAllSum(strided(in[0], in[1:], asIs)), in...)
				return Gradient(dot(g[0], g[0]), in...)
			})
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = call(t, exec, dtypes.Float64, at...)
		})
	}
	all.Wait()
	for _, r := range results[1:] {
		for j, want := range results[0] {
			if len(r) != len(results[0]) || !slices.Equal(r[j], want) {
				t.Errorf("gradient %d differs between goroutines", j)
			}
		}
	}
}

// Nothing keeps a graph that was differentiated: it is collected when its user
// lets go of it, finalised or not, compiled or not.
func TestGraphsAreCollected(t *testing.T) {
	b := testdevice.Open(t, goBackend)
	at := stridedInputs(13)
	var graphs []weak.Pointer[Graph]
	for i := range 60 {
		build := func(in []*Node) []*Node {
			graphs = append(graphs, weak.Make(in[0].Graph()))
			g := Gradient(ReduceAllSum(strided(in[0], in[1:], asIs)), in...)
			return Gradient(dot(g[0], g[0]), in...)
		}
		if i%3 == 0 {
			exec := MustNewExec(b, build)
			call(t, exec, dtypes.Float64, at...)
			exec.Finalize()
			continue
		}
		g := NewGraph(b, "graph")
		var in []*Node
		for j, a := range at {
			in = append(in, Parameter(g, fmt.Sprint(j), shapeOf(a.shape)))
		}
		build(in)
		if i%3 == 1 {
			g.Finalize()
		}
	}
	// A last graph may still be in a register or a pool.
	left := 0
	for range 3 {
		runtime.GC()
		left = 0
		for _, g := range graphs {
			if g.Value() != nil {
				left++
			}
		}
	}
	if left > 1 {
		t.Errorf("%d of %d graphs are still there", left, len(graphs))
	}
}
