package netgraph

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/convgrad"
)

// Operations counts the multiplications and additions of a graph's convolutions and
// matrix products, and reports whether there are convolutions.
func Operations(nodes []*graph.Node) (total float64, convolves bool) {
	for _, node := range nodes {
		if convgrad.IsPart(node) {
			continue
		}
		out := float64(node.Shape().Size())
		switch node.Type() {
		case graph.NodeTypeConvGeneral:
			convolves = true
			kernel := node.Inputs()[1].Shape() // [positions…, in, out]
			total += 2 * out * float64(kernel.Size()/kernel.Dimensions[kernel.Rank()-1])
		case graph.NodeTypeDotGeneral:
			// [m,k]·[k,n] has m·n results: k is what is left of m·k·k·n.
			a, b := float64(node.Inputs()[0].Shape().Size()), float64(node.Inputs()[1].Shape().Size())
			total += 2 * out * math.Sqrt(a*b/out)
		}
	}
	return total, convolves
}
