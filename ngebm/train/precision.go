package train

import (
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// inBFloat16 builds a network in ngebm.BFloat16 on x, shaped [batch, …] in float32: its
// weights, which stay float32 in the store, and x are rounded, and the logits widened.
// So the loss, the optimizer and gradients of whatever order arrive at float32. A network
// that gives variables other values is refused, since those would be lost.
func inBFloat16(store *model.Store, scope string, x *Node, logits func(*Node) *Node) *Node {
	type weight struct {
		variable        *model.Variable
		master, rounded *Node
	}
	var weights []weight
	for v := range store.RootScope().At("%s", scope).IterVariables() {
		if v.DType() != dtypes.Float32 {
			continue
		}
		master := v.NodeValue(x.Graph())
		weights = append(weights, weight{v, master, ConvertDType(master, dtypes.BFloat16)})
		v.SetNodeValue(weights[len(weights)-1].rounded)
	}
	y := ConvertDType(logits(ConvertDType(x, dtypes.BFloat16)), dtypes.Float32)
	for _, w := range weights {
		if w.variable.NodeValue(x.Graph()) != w.rounded {
			exceptions.Panicf("the network changes its variable %s, as BatchNorm and ActNorm do, which precision=bfloat16 does not keep; use nets.GroupNorm, nets.LayerNorm or nets.InstanceNorm, or precision=float32",
				strings.TrimPrefix(w.variable.Path(), "/"+scope+"/"))
		}
		w.variable.SetNodeValue(w.master)
	}
	return y
}
