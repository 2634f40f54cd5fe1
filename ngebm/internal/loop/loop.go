// Package loop builds loops that run on the device, whose rounds read and change a
// model's variables.
package loop

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Times builds a loop of n rounds, a scalar of int32, and returns the state after the
// last. A round makes the next state from the number of the round, counted from 0, and
// the state before it. variables are those that a round uses, which must exist: in a
// round their NodeValue is the one that the round before left. It runs on XLA; GoMLX's
// pure-Go backend knows no gradients in a loop.
//
// A loop's body sees nothing but its state, so the variables travel in it, and for as
// long as the body is built they stand for themselves. GoMLX shares scalar constants
// among all of a graph, and a body cannot read one that was made outside: make those of
// the first state with [Const].
func Times(n *Node, variables []*model.Variable, state []*Node, round func(i *Node, state []*Node) []*Node) []*Node {
	g := n.Graph()
	all := append([]*Node{Const(g, int32(0)), n}, state...)
	first := len(all) // of the variables
	for _, v := range variables {
		all = append(all, v.NodeValue(g))
	}
	parameters := func(g *Graph) []*Node {
		var parameters []*Node
		for i, node := range all {
			parameters = append(parameters, Parameter(g, fmt.Sprintf("state%d", i), node.Shape()))
		}
		return parameters
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		p := parameters(g)
		return []*Node{LessThan(p[0], p[1])}
	})
	changed := make([]bool, len(variables))
	body := NewClosure(g, func(g *Graph) []*Node {
		p := parameters(g)
		for i, v := range variables {
			v.SetNodeValue(p[first+i])
			defer v.SetNodeValue(all[first+i])
		}
		next := slices.Concat([]*Node{Add(p[0], Const(g, int32(1))), p[1]}, round(p[0], p[2:first]))
		for i, v := range variables {
			left := v.NodeValue(g)
			changed[i] = left != p[first+i]
			next = append(next, left)
		}
		return next
	})
	end := While(more, body, all...)
	for i, v := range variables {
		if changed[i] {
			v.SetNodeValue(end[first+i])
		}
	}
	return end[2:first]
}

// At is the part of a stack, shaped [rounds, …], that belongs to round i.
func At(stack, i *Node) *Node {
	dims := stack.Shape().Dimensions
	part := DynamicSlice(stack, from(i, len(dims)), append([]int{1}, dims[1:]...))
	return Reshape(part, dims[1:]...)
}

// SetAt returns the stack with another part for round i.
func SetAt(stack, i, part *Node) *Node {
	return DynamicUpdateSlice(stack, ExpandAxes(part, 0), from(i, stack.Rank()))
}

// from is where the part of round i begins, on each axis.
func from(i *Node, rank int) []*Node {
	start := []*Node{i}
	for range rank - 1 {
		start = append(start, Const(i.Graph(), int32(0)))
	}
	return start
}
