package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Featured is a [Network] that ends in a linear layer made by [Dense]. Detectors of OOD inputs
// (package ood) look at that layer's input, its features. The networks of this package are
// Featured, but for those with a gauge, whose logits are more than a linear layer's. A network of
// your own may be, by splitting its Logits:
//
//	func (n Net) Logits(scope *model.Scope, x *Node, classes int) *Node {
//		return nets.Dense(scope.In(n.Head()), n.Features(scope, x), classes)
//	}
type Featured interface {
	Network
	// Features builds the network without its last layer, in the scope and on the x of
	// Logits, and returns that layer's input, shaped [batch, width].
	Features(scope *model.Scope, x *Node) *Node
	// Head names the scope of the last layer in the network's scope: "linear". Its weights
	// are "weight", shaped [width, classes], and "bias", shaped [classes].
	Head() string
}
