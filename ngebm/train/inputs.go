package train

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"ngebm/ngebm"
)

// stepInputs are the inputs of a training step's executable: nodes while it is built, shapes
// to compile it, tensors and numbers while it runs. The optional ones are zero where the
// configuration does not need them.
type stepInputs[T any] struct {
	x            T // examples, [batch, shape…]
	labels       T // [batch]
	learningRate T

	ramp         T // optional: the factor on all terms but the classification's
	emaDecay     T // optional: of the moving average of the weights
	mixupPartner T // optional: the place in the batch of each example's partner, [batch]
	mixupLambda  T // optional: an example's share in the blend
	extra        T // optional: samples of the model or outliers, [batch, shape…]
	extraLabels  T // optional: their classes, [batch]
}

func hasRamp(cfg ngebm.Config) bool  { return cfg.RampEpochs > 0 || cfg.FadeEpochs > 0 }
func hasEMA(cfg ngebm.Config) bool   { return cfg.EMA > 0 }
func hasMixup(cfg ngebm.Config) bool { return cfg.Augment.Mixup > 0 }
func hasExtra(cfg ngebm.Config) bool { return cfg.JEM.Enabled() || cfg.Margin.Outliers != "" }

// pack lists the inputs that the configuration needs, in the executable's order.
func pack[T any](cfg ngebm.Config, in stepInputs[T]) []T {
	all := []T{in.x, in.labels, in.learningRate}
	if hasRamp(cfg) {
		all = append(all, in.ramp)
	}
	if hasEMA(cfg) {
		all = append(all, in.emaDecay)
	}
	if hasMixup(cfg) {
		all = append(all, in.mixupPartner, in.mixupLambda)
	}
	if hasExtra(cfg) {
		all = append(all, in.extra, in.extraLabels)
	}
	return all
}

// unpack is pack's inverse.
func unpack[T any](cfg ngebm.Config, all []T) (in stepInputs[T]) {
	next := func() T {
		first := all[0]
		all = all[1:]
		return first
	}
	in.x, in.labels, in.learningRate = next(), next(), next()
	if hasRamp(cfg) {
		in.ramp = next()
	}
	if hasEMA(cfg) {
		in.emaDecay = next()
	}
	if hasMixup(cfg) {
		in.mixupPartner, in.mixupLambda = next(), next()
	}
	if hasExtra(cfg) {
		in.extra, in.extraLabels = next(), next()
	}
	return in
}

// inputShapes lists the inputs' shapes for examples of the given shape.
func inputShapes(cfg ngebm.Config, shape []int) []shapes.Shape {
	scalar, perExample := shapes.Make(dtypes.Float32), shapes.Make(dtypes.Int32, cfg.Batch)
	examples := shapes.Make(dtypes.Float32, append([]int{cfg.Batch}, shape...)...)
	return pack(cfg, stepInputs[shapes.Shape]{
		x: examples, labels: perExample, learningRate: scalar,
		ramp: scalar, emaDecay: scalar,
		mixupPartner: perExample, mixupLambda: scalar,
		extra: examples, extraLabels: perExample,
	})
}
