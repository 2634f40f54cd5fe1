package lp

import (
	"github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/energy"
)

// Direction returns the steepest ascent of length one in the norm, from gradients g shaped
// [batch, …]: sign(g) for L∞, g/‖g‖₂ for L2; zero where the gradient is zero.
func (n Norm) Direction(g *graph.Node) *graph.Node {
	if n == Linf {
		return graph.Sign(g)
	}
	// Scaled first, so that the squares of small gradients do not vanish.
	g = graph.Div(g, orOne(PerExample(graph.Abs(g), graph.ReduceMax)))
	return graph.Div(g, orOne(lengths(g)))
}

// Project returns z, shaped [batch, …], in the threat model around x0, up to rounding.
// lower and upper are those of [ThreatModel.Bounds], shaped as z; radius is a scalar. They are
// inputs, not constants, so that another ε compiles nothing. NaN stays NaN.
func (n Norm) Project(z, x0, lower, upper, radius *graph.Node) *graph.Node {
	if n == L2 {
		d := graph.Sub(z, x0)
		z = graph.Add(x0, graph.Mul(d, graph.MinScalar(graph.Div(radius, orOne(lengths(d))), 1)))
	}
	// XLA's minimum and maximum may turn NaN into a bound, and a faulty gradient
	// into a plausible result.
	return graph.Where(graph.Equal(z, z), graph.Clip(z, lower, upper), z)
}

// TrainingStep moves x, shaped [batch, …], by size (in the network's units) along the
// gradients g, and projects it into the threat model around clean. It also returns ‖g‖₂,
// shaped [batch]. It differs from [Norm.Direction] and [Norm.Project] as the package's doc
// says.
func (t ThreatModel) TrainingStep(x, g, clean *graph.Node, size float64) (next, norms *graph.Node) {
	norms = energy.Norm(g)
	direction := g
	if t.Norm == L2 {
		direction = graph.Div(g, spread(graph.MaxScalar(norms, 1e-12), g))
	} else {
		direction = graph.Sign(g)
	}
	return t.trainingProject(graph.Add(x, graph.MulScalar(direction, size)), clean), norms
}

func (t ThreatModel) trainingProject(z, clean *graph.Node) *graph.Node {
	delta := graph.Sub(z, clean)
	if t.Norm == L2 {
		radius := graph.Scalar(delta.Graph(), delta.DType(), t.Epsilon)
		shrink := graph.MinScalar(graph.Div(radius, graph.MaxScalar(energy.Norm(delta), 1e-12)), 1)
		delta = graph.Mul(delta, spread(shrink, delta))
	} else {
		delta = graph.ClipScalar(delta, -t.Epsilon, t.Epsilon)
	}
	next := graph.Add(clean, delta)
	if t.bounded() {
		next = graph.ClipScalar(next, float64(t.Lo), float64(t.Hi))
	}
	return next
}

// spread gives a value for each example the axes of like.
func spread(values, like *graph.Node) *graph.Node {
	axes := make([]int, like.Rank()-1)
	for i := range axes {
		axes[i] = -1
	}
	return graph.InsertAxes(values, axes...)
}

// PerExample reduces all axes of x but the first to size 1.
func PerExample(x *graph.Node, reduce func(x *graph.Node, axes ...int) *graph.Node) *graph.Node {
	axes := make([]int, x.Rank()-1)
	for i := range axes {
		axes[i] = i + 1
	}
	return graph.ReduceAndKeep(x, reduce, axes...)
}

func lengths(x *graph.Node) *graph.Node {
	return graph.Sqrt(PerExample(graph.Square(x), graph.ReduceSum))
}

// orOne replaces zeros by ones, for division.
func orOne(x *graph.Node) *graph.Node {
	return graph.Where(graph.Equal(x, graph.ZerosLike(x)), graph.OnesLike(x), x)
}
