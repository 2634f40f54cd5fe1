package netgraph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// network is one that a person might write, and parts of it that can be edited without
// changing a weight's name or shape.
type network struct {
	activation func(*Node) *Node
	pool       func(*Node) *Node
	residual   bool
	slope      float64
	dropout    float64
	stride     int
	blur       []float32 // a constant filter of 49 values
	double     bool      // a gradient of its own, of twice the size
	weight     float64   // if not 0, the size of the last layer's own gradient
}

func plain() network {
	return network{activation: nets.SiLU, pool: func(x *Node) *Node { return nets.MaxPool2D(x, 2) }, slope: .2, stride: 1, blur: make([]float32, 49)}
}

// Multiplications and additions, counted by hand: two for each product of two numbers.
func TestOperations(t *testing.T) {
	for _, c := range []struct {
		a, b     []int
		equation string
		want     float64
	}{
		{[]int{2, 3}, []int{3, 5}, "mk,kn->mn", 2 * 2 * 3 * 5},
		{[]int{7, 2, 3}, []int{7, 3, 5}, "bmk,bkn->bmn", 7 * 2 * 2 * 3 * 5},
		{[]int{7, 4, 2, 3}, []int{7, 4, 5, 3}, "bhqd,bhkd->bhqk", 7 * 4 * 2 * 2 * 3 * 5}, // attention's scores
		{[]int{2, 3, 4}, []int{3, 4, 5}, "mjk,jkn->mn", 2 * 2 * 12 * 5},
		{[]int{3}, []int{5}, "m,n->mn", 2 * 3 * 5},
		{[]int{7, 3}, []int{7, 3}, "bk,bk->b", 7 * 2 * 3},
	} {
		g := NewGraph(pure(t), "product")
		Einsum(c.equation, Parameter(g, "a", shapes.Make(dtypes.Float32, c.a...)), Parameter(g, "b", shapes.Make(dtypes.Float32, c.b...)))
		if got, convolves := netgraph.Operations(g.Nodes()); got != c.want || convolves {
			t.Errorf("%s of %v and %v: %v operations, want %v; convolves: %v", c.equation, c.a, c.b, got, c.want, convolves)
		}
		g.Finalize()
	}
}

func (n network) trace(t *testing.T) netgraph.Graph {
	t.Helper()
	store := model.NewStore()
	g, err := netgraph.Trace(pure(t), store, []int{8, 8, 1}, func(x *Node) *Node {
		scope := store.RootScope().In("net")
		y := n.activation(nets.Conv(scope.In("conv"), x, 1, 3, n.stride))
		if n.residual {
			y = Add(x, y)
		}
		y = Mul(y, MulScalar(y, n.slope))
		y = Add(y, ReduceAllSum(Const(x.Graph(), tensors.FromFlatDataAndDimensions(n.blur, 7, 7))))
		if n.dropout > 0 && scope.IsTraining(x.Graph()) {
			y = Mul(y, scope.RandomBernoulli(Scalar(x.Graph(), y.DType(), 1-n.dropout), y.Shape()))
		}
		if n.double {
			y = IdentityWithCustomGradient(y, func(_, v *Node) *Node { return MulScalar(v, 2) })
		}
		y = n.pool(y)
		y = nets.Dense(scope.In("dense"), Reshape(y, y.Shape().Dimensions[0], -1), 3)
		if n.weight != 0 {
			w := scope.In("shift").VariableWithValue("shift", []float32{1, 2, 3}).NodeValue(x.Graph())
			y = Add(y, ExpandAxes(IdentityWithCustomGradient(w, func(_, v *Node) *Node { return MulScalar(v, n.weight) }), 0))
		}
		return y
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What can be edited without a change of the weights' names and shapes changes the
// description, and the difference is named.
func TestEdits(t *testing.T) {
	before := plain().trace(t)
	if again := plain().trace(t); again.Sum() != before.Sum() || netgraph.Difference(before.Lines, again.Lines) != "" {
		t.Fatalf("one network has two descriptions: %s", netgraph.Difference(before.Lines, again.Lines))
	}
	seen := map[string]string{before.Sum(): "the network itself"}
	for name, edit := range map[string]func(*network){
		"activation":       func(n *network) { n.activation = nets.LeakyReLU },
		"pooling":          func(n *network) { n.pool = func(x *Node) *Node { return MeanPool(x).Window(2).Done() } },
		"residual":         func(n *network) { n.residual = true },
		"a slope":          func(n *network) { n.slope = .1 },
		"dropout":          func(n *network) { n.dropout = .1 },
		"its rate":         func(n *network) { n.dropout = .5 },
		"a large constant": func(n *network) { n.blur = slices.Repeat([]float32{1}, 49) },
		"a gradient":       func(n *network) { n.double = true },
		"a weight's own":   func(n *network) { n.weight = 1 },
		"its size":         func(n *network) { n.weight = 2 },
		"both":             func(n *network) { n.double, n.weight = true, 2 },
	} {
		n := plain()
		edit(&n)
		now := n.trace(t)
		if other, ok := seen[now.Sum()]; ok {
			t.Errorf("%s: the description is that of %s", name, other)
		}
		seen[now.Sum()] = name
		if netgraph.Difference(before.Lines, now.Lines) == "" {
			t.Errorf("%s: no difference is named", name)
		}
	}
}

// Layers have their weights and the shape of what they compute for one example.
func TestLayers(t *testing.T) {
	got := plain().trace(t).Layers
	want := []netgraph.Layer{{Name: "/net/conv", Output: []int{8, 8, 1}, Weights: 10}, {Name: "/net/dense", Output: []int{3}, Weights: 16*3 + 3}}
	if len(got) != 2 || got[0].Name != want[0].Name || got[1].Weights != want[1].Weights || !slices.Equal(got[0].Output, want[0].Output) || !slices.Equal(got[1].Output, want[1].Output) || got[0].Weights != want[0].Weights {
		t.Errorf("layers are %v, want %v", got, want)
	}
}

// A network that cannot be built says why, in one line.
func TestUnbuildable(t *testing.T) {
	store := model.NewStore()
	_, err := netgraph.Trace(pure(t), store, []int{2}, func(x *Node) *Node { return nets.Conv(store.RootScope(), x, 1, 3, 1) })
	if err == nil || !strings.Contains(err.Error(), "Conv takes images") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}

// Loops, branches and sorting are functions of their own, and their constants count.
func TestFunctions(t *testing.T) {
	sum := func(limit float64) string {
		g, err := netgraph.Trace(pure(t), model.NewStore(), []int{2}, func(x *Node) *Node {
			out := While(
				NewClosure(x.Graph(), func(g *Graph) []*Node {
					i := Parameter(g, "i", shapes.Make(x.DType()))
					Parameter(g, "y", x.Shape())
					return []*Node{LessThan(i, Scalar(g, x.DType(), limit))}
				}),
				NewClosure(x.Graph(), func(g *Graph) []*Node {
					i := Parameter(g, "i", shapes.Make(x.DType()))
					y := Parameter(g, "y", x.Shape())
					return []*Node{AddScalar(i, 1), MulScalar(y, 2)}
				}), Scalar(x.Graph(), x.DType(), 0), x)
			return out[1]
		})
		if err != nil {
			t.Fatal(err)
		}
		return g.Sum()
	}
	if sum(3) == sum(4) {
		t.Error("a loop's condition does not count")
	}
}

func pure(t *testing.T) compute.Backend {
	t.Helper()
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// Stored runs name these sums: the descriptions of networks stay what they were in f123bbe, with
// GoMLX v0.28.8, whose operations they name.
func TestSums(t *testing.T) {
	builtIn := func(name string) netgraph.Graph {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		store := model.NewStore()
		g, err := netgraph.Trace(pure(t), store, []int{8, 8, 1}, func(x *Node) *Node { return net.Logits(store.RootScope().In("net"), x, 10) })
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	own := plain()
	own.double = true
	for name, c := range map[string]struct {
		g    netgraph.Graph
		want string
	}{
		"mlp-8":                      {builtIn("mlp-8"), "e3e882c71241"},
		"convnet+group+silu":         {builtIn("convnet+group+silu"), "4a303ce8ee3f"},
		"wrn-10-1":                   {builtIn("wrn-10-1"), "df5d4450a395"},
		"own":                        {plain().trace(t), "d53511ae6495"},
		"own, with its own gradient": {own.trace(t), "ad397fe0e66a"},
	} {
		if got := c.g.Sum()[:12]; got != c.want {
			t.Errorf("%s: the description has the sum %s, want %s", name, got, c.want)
		}
		if c.g.Former != "" {
			t.Errorf("%s: it has a former sum", name)
		}
	}
}

// Runs with gradients of weights' own that 7b1db17^ or earlier trained name these sums.
func TestFormerSums(t *testing.T) {
	for _, c := range []struct {
		edit func(*network)
		want string
	}{
		{func(*network) {}, "8d11a09e26eb"},
		{func(n *network) { n.double = true }, "5e7326f39d38"},
		{func(n *network) { n.dropout = .1 }, "bc696af91d6b"},
	} {
		n := plain()
		n.weight = 2
		c.edit(&n)
		if g := n.trace(t); g.Former == "" || g.Former[:12] != c.want {
			t.Errorf("the former sum is %q, want %s", g.Former, c.want)
		}
	}
}
