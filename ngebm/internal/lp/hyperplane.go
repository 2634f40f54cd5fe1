package lp

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// ToHyperplane returns the shortest change d in the norm, for each point x of a batch, that
// moves it onto the hyperplane w·d + c = 0 and stays in the box lo ≤ x+d ≤ hi. Where the box
// does not meet the hyperplane, d goes to the box's point nearest to it. x and w are shaped
// [batch, values], c [batch, 1]; lo and hi are scalars, which may be infinite.
//
// The solution is d_j = −sign(c)·sign(w_j)·min(λa_j, r_j), with a_j = 1 for L∞ and |w_j| for
// L2, and r_j the room that the box leaves in this direction (the conditions of Karush, Kuhn
// and Tucker). λ solves h(λ) = Σ|w_j|·min(λa_j, r_j) = |c|. As h is concave, increasing and
// piecewise linear, Newton's method from λ = 0 rises to the solution and ends after as many
// rounds as there are pieces at most; some five in practice.
func (n Norm) ToHyperplane(x, w, c, lo, hi *graph.Node) *graph.Node {
	// Distances do not depend on the scale of w and c, but rounding does.
	scale := orOne(PerExample(graph.Abs(w), graph.ReduceMax))
	w, c = graph.Div(w, scale), graph.Div(c, scale)
	side := graph.Where(graph.GreaterOrEqual(c, graph.ZerosLike(c)), graph.OnesLike(c), graph.Neg(graph.OnesLike(c)))
	direction := graph.Neg(graph.Mul(side, graph.Sign(w)))
	up := graph.GreaterThan(direction, graph.ZerosLike(direction))
	room := graph.MaxScalar(graph.Where(up, graph.Sub(hi, x), graph.Sub(x, lo)), 0)
	slope, rate := graph.Abs(w), graph.OnesLike(w)
	if n == L2 {
		rate = slope
	}
	lambda := multiplier(slope, rate, room, graph.Abs(c))
	return graph.Mul(direction, graph.Min(graph.Mul(lambda, rate), room))
}

// multiplier solves Σ slope·min(λ·rate, room) = goal for λ, shaped [batch, 1]; where the
// room does not suffice, λ uses it up.
//
// The body of a loop sees its state only: λ, the one before, and the inputs. GoMLX shares
// scalars and XLA's reductions among all of a graph, and a body cannot use what was made
// outside, so that zeros are part of the state, and sums are products with ones.
func multiplier(slope, rate, room, goal *graph.Node) *graph.Node {
	g := goal.Graph()
	ones := graph.Ones(g, shapes.Make(slope.DType(), slope.Shape().Dimensions[1], 1))
	state := []*graph.Node{graph.ZerosLike(goal), graph.Neg(graph.OnesLike(goal)), slope, rate, room, goal, graph.ZerosLike(slope), ones}
	names := []string{"lambda", "before", "slope", "rate", "room", "goal", "zero", "ones"}
	parameters := func(g *graph.Graph) []*graph.Node {
		p := make([]*graph.Node, len(state))
		for i, node := range state {
			p[i] = graph.Parameter(g, names[i], node.Shape())
		}
		return p
	}
	// λ has arrived where it rises no more.
	more := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		return []*graph.Node{graph.LogicalAny(graph.GreaterThan(p[0], p[1]))}
	})
	body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		return append([]*graph.Node{newton(p[0], p[2], p[3], p[4], p[5], p[6], p[7]), p[0]}, p[2:]...)
	})
	return graph.While(more, body, state...)[0]
}

// newton is one step of Newton's method from λ.
func newton(lambda, slope, rate, room, goal, zero, ones *graph.Node) *graph.Node {
	full := graph.LessOrEqual(room, graph.Mul(lambda, rate))
	used := graph.MatMul(graph.Where(full, graph.Mul(slope, room), zero), ones)
	gradient := graph.MatMul(graph.Where(full, zero, graph.Mul(slope, rate)), ones)
	next := graph.Div(graph.Sub(goal, used), gradient)
	rises := graph.GreaterThan(gradient, graph.MatMul(zero, ones))
	return graph.Max(lambda, graph.Where(rises, next, lambda))
}
