package attack

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"ngebm/data"
)

// Norm says how large a perturbation is.
type Norm string

// The norms over all values of an example.
const (
	Linf Norm = "Linf" // the largest change of a value
	L2   Norm = "L2"   // the Euclidean length of the change
)

func (n Norm) check() error {
	if n != Linf && n != L2 {
		return fmt.Errorf("attack: norm %q is not known: use attack.Linf or attack.L2", string(n))
	}
	return nil
}

// lpBall is what a perturbed example must stay in: at most radius away from the
// original, and within the range of pixels.
type lpBall struct {
	norm   Norm
	radius float32 // as the network sees inputs
	lo, hi float32 // range of a value; infinite for points in the plane
}

// newLpBall converts ε to the units that the network sees.
func newLpBall(d *data.Dataset, norm Norm, epsilon float64) lpBall {
	b := lpBall{norm: norm, lo: float32(math.Inf(-1)), hi: float32(math.Inf(1))}
	if d.IsImages() {
		b.lo, b.hi = -1, 1
	}
	epsilon *= scale(d)
	// Never above ε: a float32 difference that rounds to the radius must still
	// compare as at most ε for one who has ε in float64.
	b.radius = float32(epsilon)
	if float64(b.radius) > epsilon {
		b.radius = math.Nextafter32(b.radius, 0)
	}
	return b
}

// scale is the size of ε = 1 as the network sees it.
func scale(d *data.Dataset) float64 {
	if d.IsImages() {
		return 2 // pixels in [-1,1] in place of [0,1]
	}
	return 1
}

// bounds writes, for each value of x, the interval that the norm (if L∞) and
// the range leave it.
func (b lpBall) bounds(x, lower, upper []float32) {
	for j, v := range x {
		lower[j], upper[j] = b.lo, b.hi
		if b.norm == Linf {
			lower[j] = max(b.lo, reach(v, -b.radius))
			upper[j] = min(b.hi, reach(v, b.radius))
		}
	}
}

// reach returns the float32 farthest from v towards v+step whose distance from
// v, not the rounded sum's, is at most |step|.
func reach(v, step float32) float32 {
	y := float32(float64(v) + float64(step))
	for math.Abs(float64(y)-float64(v)) > math.Abs(float64(step)) {
		y = math.Nextafter32(y, v)
	}
	return y
}

// contains reports whether y is in the Lp ball around x, as float64 and as plain
// float32 arithmetic compute it.
func (b lpBall) contains(x, y []float32) bool {
	var exact float64
	var single float32
	for j, v := range x {
		d, d64 := y[j]-v, float64(y[j])-float64(v)
		// Negated, so that NaN is outside.
		if !(y[j] >= b.lo && y[j] <= b.hi) {
			return false
		}
		switch b.norm {
		case Linf:
			exact = max(exact, math.Abs(d64))
			single = max(single, d, -d)
		case L2:
			exact += d64 * d64
			single += float32(d * d) // the conversion forbids a fused operation
		}
	}
	if b.norm == L2 {
		exact, single = math.Sqrt(exact), float32(math.Sqrt(float64(single)))
	}
	return exact <= float64(b.radius) && single <= b.radius
}

// settle moves y, which a device has projected up to rounding, into the Lp ball
// around x to the last bit. Values that are not numbers stay so.
func (b lpBall) settle(x, y []float32) {
	for j, v := range x {
		lower, upper := b.lo, b.hi
		if b.norm == Linf {
			lower, upper = max(lower, reach(v, -b.radius)), min(upper, reach(v, b.radius))
		}
		y[j] = min(max(y[j], lower), upper)
	}
	if b.norm == Linf {
		return
	}
	for margin := 0x1p-24; margin <= 1 && !b.contains(x, y); margin *= 2 {
		square := 0.
		for j, v := range x {
			d := float64(y[j]) - float64(v)
			square += d * d
		}
		// Between x and y, so the range holds; at margin 1 it is x itself.
		scale := min(1, float64(b.radius)/math.Sqrt(square)) * (1 - margin)
		for j, v := range x {
			y[j] = float32(float64(v) + (float64(y[j])-float64(v))*scale)
		}
	}
}

// direction returns the steepest ascent of length one in the norm, from
// gradients g shaped [batch, …]; zero where the gradient is zero.
func (n Norm) direction(g *graph.Node) *graph.Node {
	if n == Linf {
		return graph.Sign(g)
	}
	// Scaled first, so that the squares of small gradients do not vanish.
	g = graph.Div(g, orOne(perExample(graph.Abs(g), graph.ReduceMax)))
	return graph.Div(g, orOne(lengths(g)))
}

// project returns z, shaped [batch, …], in the Lp balls around x0, up to rounding.
// lower and upper are those of [lpBall.bounds], radius a scalar. NaN stays NaN.
func (n Norm) project(z, x0, lower, upper, radius *graph.Node) *graph.Node {
	if n == L2 {
		d := graph.Sub(z, x0)
		z = graph.Add(x0, graph.Mul(d, graph.MinScalar(graph.Div(radius, orOne(lengths(d))), 1)))
	}
	// XLA's minimum and maximum may turn NaN into a bound, and a faulty gradient
	// into a plausible result.
	return graph.Where(graph.Equal(z, z), graph.Clip(z, lower, upper), z)
}

// perExample reduces all axes of x but the first to size 1.
func perExample(x *graph.Node, reduce func(x *graph.Node, axes ...int) *graph.Node) *graph.Node {
	axes := make([]int, x.Rank()-1)
	for i := range axes {
		axes[i] = i + 1
	}
	return graph.ReduceAndKeep(x, reduce, axes...)
}

func lengths(x *graph.Node) *graph.Node {
	return graph.Sqrt(perExample(graph.Square(x), graph.ReduceSum))
}

// orOne replaces zeros by ones, for division.
func orOne(x *graph.Node) *graph.Node {
	return graph.Where(graph.Equal(x, graph.ZerosLike(x)), graph.OnesLike(x), x)
}
