package netgraph

import (
	"path"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Layer is one scope that holds weights.
type Layer struct {
	Name    string // path of the scope in the store
	Output  []int  // shape of what it computes for one example; nil if unknown
	Weights int
}

// layers finds the layers of a graph. The output of a layer is the last operation that
// combines its weights with something that depends on the network's input.
func layers(nodes []*graph.Node, store *model.Store, g *graph.Graph) []Layer {
	owner := map[*graph.Node]string{} // of a node that depends on one layer's weights and on nothing else
	for v := range store.IterVariables() {
		// The store's own variables, such as the state of its random numbers, are at its root.
		if scope := path.Dir(v.Path()); scope != "/" && v.InUseByGraph(g) {
			owner[v.NodeValue(g)] = scope
		}
	}
	var found []Layer
	at := func(name string) *Layer {
		i := slices.IndexFunc(found, func(l Layer) bool { return l.Name == name })
		if i < 0 {
			found = append(found, Layer{Name: name})
			i = len(found) - 1
		}
		return &found[i]
	}
	for _, n := range nodes {
		if name, ok := owner[n]; ok {
			at(name).Weights += n.Shape().Size()
			continue
		}
		names, mixed := map[string]bool{}, false
		for _, in := range n.Inputs() {
			if name, ok := owner[in]; ok {
				names[name] = true
			} else if !in.IsConstantExpression() {
				mixed = true
			}
		}
		for name := range names {
			switch dims := n.Shape().Dimensions; {
			case mixed && len(dims) > 0 && dims[0] == batch:
				at(name).Output = slices.Clone(dims[1:])
			case !mixed && len(names) == 1:
				owner[n] = name
			}
		}
	}
	return found
}
