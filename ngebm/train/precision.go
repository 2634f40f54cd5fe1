package train

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// inBFloat16 builds a network in ngebm.BFloat16 on x, shaped [batch, …] in float32: its
// weights, which stay float32 in the store, and x are rounded, and the logits widened.
// So the loss, the optimizer and gradients of whatever order arrive at float32.
func inBFloat16(store *model.Store, scope string, x *Node, logits func(*Node) *Node) *Node {
	for v := range store.RootScope().At("%s", scope).IterVariables() {
		if v.DType() != dtypes.Float32 {
			continue
		}
		master := v.NodeValue(x.Graph())
		v.SetNodeValue(ConvertDType(master, dtypes.BFloat16))
		defer v.SetNodeValue(master)
	}
	return ConvertDType(logits(ConvertDType(x, dtypes.BFloat16)), dtypes.Float32)
}
