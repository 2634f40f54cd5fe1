package nets

import (
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// normEpsilon is what PyTorch's normalization layers add to a variance.
const normEpsilon = 1e-5

// filled returns the named variable in scope, shaped [channels]; a new one has one value
// everywhere.
func filled(scope *model.Scope, name string, dtype dtypes.DType, value float64, trainable bool, channels int) *model.Variable {
	if v := existing(scope, name, channels); v != nil {
		return v
	}
	values := slices.Repeat([]float64{value}, channels)
	return scope.VariableWithValue(name, tensorOf(dtype, values, []int{channels})).SetTrainable(trainable)
}

// channelsOf is the size of the last axis of x, shaped [batch, …, channels].
func channelsOf(layer string, x *Node) int {
	if x.Rank() < 2 {
		exceptions.Panicf("nets: %s takes [batch, …, channels], but its input is shaped %v", layer, x.Shape().Dimensions)
	}
	return x.Shape().Dimensions[x.Rank()-1]
}

// perChannel broadcasts a weight shaped [channels] to x.
func perChannel(v *model.Variable, x *Node) *Node {
	return ExpandLeftToRank(v.NodeValue(x.Graph()), x.Rank())
}

// affine returns x·weight + bias, which begin as 1 and 0.
func affine(scope *model.Scope, x *Node) *Node {
	n := x.Shape().Dimensions[x.Rank()-1]
	weight, bias := filled(scope, "weight", x.DType(), 1, true, n), filled(scope, "bias", x.DType(), 0, true, n)
	return Add(Mul(x, perChannel(weight, x)), perChannel(bias, x))
}

// GroupNorm is torch.nn.GroupNorm(groups, channels) of x, shaped [batch, …, channels]: in
// each example, each of the groups of consecutive channels is brought to mean 0 and variance
// 1 over its channels and positions; then come a factor and an offset for each channel,
// "weight" and "bias" in scope (Wu, He 2018). It panics if groups does not divide the
// channels, or if a group has one value.
//
// An example is normalized by itself, so that the layer may be used where E(x) and ∂E/∂x are
// trained.
func GroupNorm(scope *model.Scope, x *Node, groups int) *Node {
	channels, s := channelsOf("GroupNorm", x), x.Shape().Dimensions
	if groups < 1 || channels%groups != 0 {
		exceptions.Panicf("nets: GroupNorm cannot divide %d channels into %d groups; choose a divisor of the channels", channels, groups)
	}
	positions := x.Shape().Size() / (s[0] * channels)
	if positions*channels == groups {
		exceptions.Panicf("nets: GroupNorm would normalize single values to 0: its input is shaped %v, in %d groups; use fewer groups, larger images, or LayerNorm", s, groups)
	}
	grouped := Reshape(x, s[0], positions, groups, channels/groups)
	centered := Sub(grouped, ReduceAndKeep(grouped, ReduceMean, 1, 3))
	variance := ReduceAndKeep(Square(centered), ReduceMean, 1, 3)
	y := Div(centered, Sqrt(AddScalar(variance, normEpsilon)))
	return affine(scope, Reshape(y, s...))
}

// LayerNorm is [GroupNorm] with one group: over all channels and positions of an example. Of
// x shaped [batch, values] it is torch.nn.LayerNorm(values), of images what the authors of
// JEM and NG-EBM use by that name, torch.nn.GroupNorm(1, channels).
func LayerNorm(scope *model.Scope, x *Node) *Node { return GroupNorm(scope, x, 1) }

// InstanceNorm is [GroupNorm] with a group for each channel of images,
// torch.nn.InstanceNorm2d(channels, affine=True).
func InstanceNorm(scope *model.Scope, x *Node) *Node {
	return GroupNorm(scope, x, channelsOf("InstanceNorm", x))
}

// moments returns the means and variances (of divisor N) of the channels of a batch.
func moments(x *Node) (mean, variance *Node) {
	axes := make([]int, x.Rank()-1)
	for i := range axes {
		axes[i] = i
	}
	mean = ReduceMean(x, axes...)
	centered := Sub(x, ExpandLeftToRank(mean, x.Rank()))
	return mean, ReduceMean(Square(centered), axes...)
}

// ActNorm is the layer that the authors of JEM and NG-EBM call "act" (Kingma, Dhariwal
// 2018): scale·(x + loc), each shaped [channels] in scope. The first training step sets them
// so that its batch has mean 0 and deviation 1 in each channel; from then on they are trained
// as all weights, and an example is normalized by itself.
func ActNorm(scope *model.Scope, x *Node) *Node {
	n, g := channelsOf("ActNorm", x), x.Graph()
	loc, scale := filled(scope, "loc", x.DType(), 0, true, n), filled(scope, "scale", x.DType(), 1, true, n)
	ready := filled(scope, "initialized", x.DType(), 0, false, 1)
	// Once in a graph, whose later uses of the layer share what the first has set.
	done := "/ngebm/nets/actnorm" + ready.Path()
	if _, found := model.GetGraphParam(g, done); scope.IsTraining(g) && !found {
		model.SetGraphParam(g, done, true)
		mean, variance := moments(StopGradient(x))
		values := float64(x.Shape().Size() / n)
		deviation := MulScalar(Sqrt(variance), math.Sqrt(values/max(1, values-1))) // torch.std's
		first := Equal(ready.NodeValue(g), ZerosLike(ready.NodeValue(g)))
		first = BroadcastToDims(first, n)
		loc.SetNodeValue(Where(first, Neg(mean), loc.NodeValue(g)))
		scale.SetNodeValue(Where(first, Reciprocal(AddScalar(deviation, 1e-6)), scale.NodeValue(g)))
		ready.SetNodeValue(OnesLike(ready.NodeValue(g)))
	}
	return Mul(perChannel(scale, x), Add(x, perChannel(loc, x)))
}

// BatchNorm is torch.nn.BatchNorm2d(channels, momentum=momentum) of x, shaped [batch, …,
// channels]: in training, channels are normalized by the mean and the variance of the batch,
// and running averages of both are kept, "running_mean" and "running_var" in scope, which
// take their place everywhere else. momentum is the share of a new batch, .1 by PyTorch's
// default.
//
// In training, an example's energy then depends on the other examples of its batch, so that
// neither its variance over the batch nor ∂E/∂x says what NG-EBM means by it. Use
// [GroupNorm], [LayerNorm], [InstanceNorm] or [ActNorm] there: a named network with BatchNorm
// is refused unless all terms of the loss but the classification's are off.
func BatchNorm(scope *model.Scope, x *Node, momentum float64) *Node {
	n, g := channelsOf("BatchNorm", x), x.Graph()
	runningMean, runningVar := filled(scope, "running_mean", x.DType(), 0, false, n), filled(scope, "running_var", x.DType(), 1, false, n)
	mean, variance := runningMean.NodeValue(g), runningVar.NodeValue(g)
	if scope.IsTraining(g) {
		model.SetGraphParam(g, batchNormParam, true)
		keep := func(v *model.Variable, batch *Node) {
			v.SetNodeValue(Add(MulScalar(v.NodeValue(g), 1-momentum), MulScalar(StopGradient(batch), momentum)))
		}
		mean, variance = moments(x)
		values := float64(x.Shape().Size() / n)
		keep(runningMean, mean)
		keep(runningVar, MulScalar(variance, values/max(1, values-1)))
	}
	y := Div(Sub(x, ExpandLeftToRank(mean, x.Rank())), Sqrt(AddScalar(ExpandLeftToRank(variance, x.Rank()), normEpsilon)))
	return affine(scope, y)
}

// batchNormParam is set in graphs in which BatchNorm normalizes by the batch.
const batchNormParam = "/ngebm/nets/batchnorm"

// gomlxBatchNormParam is what GoMLX's layer sets in the store, however it computes, where it
// normalizes by the batch in training: its package's AveragesUpdatesTriggerParam.
const gomlxBatchNormParam = "/batch_normalization_averages_updates_trigger"

// NormalizesByBatch reports whether a network in the graph, which is of a training step,
// normalizes by the statistics of its batch, with [BatchNorm] or GoMLX's batch normalization.
func NormalizesByBatch(g *Graph) bool {
	if _, found := model.GetGraphParam(g, batchNormParam); found {
		return true
	}
	if store := model.GetStore(g); store != nil {
		if _, found := store.GetParam(gomlxBatchNormParam); found {
			return true
		}
	}
	return slices.ContainsFunc(g.Nodes(), func(n *Node) bool { return n.Type() == NodeTypeBatchNormForTraining })
}

// Dropout sets each value to 0 with the given probability while a run is trained, and divides
// the others by 1-rate (Srivastava et al. 2014); elsewhere it returns x. The random numbers
// follow from the run's seed. A training step that takes ∂E/∂x of these logits takes it
// under the same zeros.
func Dropout(scope *model.Scope, x *Node, rate float64) *Node {
	if !(rate >= 0 && rate < 1) {
		exceptions.Panicf("nets: Dropout has a rate of %v; it must be at least 0 (none) and below 1", rate)
	}
	if rate == 0 || !scope.IsTraining(x.Graph()) {
		return x
	}
	drawn := scope.RandomUniform(x.Graph(), shapes.Make(dtypes.Float32, x.Shape().Dimensions...))
	kept := GreaterOrEqual(drawn, Scalar(x.Graph(), dtypes.Float32, rate))
	return Where(kept, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}
