package netgraph

import (
	"strconv"
	"strings"

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
			total += 2 * out * contracted(node)
		}
	}
	return total, convolves
}

// contracted is the number of products that each result of a matrix product is the sum of: k for
// [m,k]·[k,n]. A node shows its axes in its text only.
func contracted(product *graph.Node) float64 {
	_, axes, _ := strings.Cut(product.String(), "lhsContractingAxes=[")
	axes, _, _ = strings.Cut(axes, "]")
	k := 1
	for _, text := range strings.Fields(axes) {
		axis, err := strconv.Atoi(text)
		if err != nil {
			panic(err) // GoMLX writes whole numbers
		}
		k *= product.Inputs()[0].Shape().Dimensions[axis]
	}
	return float64(k)
}
