package ngebm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// inputs are those of a training step's executable: nodes while it is built, tensors
// and numbers while it runs.
type inputs[T any] struct {
	x, labels, rate T
	// These are there where the configuration needs them.
	ramp, decay, partner, share, others, otherLabels T
}

// list puts the inputs that the configuration needs in their order.
func list[T any](cfg Config, in inputs[T]) []T {
	all := []T{in.x, in.labels, in.rate}
	add := func(needed bool, values ...T) {
		if needed {
			all = append(all, values...)
		}
	}
	add(cfg.RampEpochs > 0 || cfg.FadeEpochs > 0, in.ramp)
	add(cfg.EMA > 0, in.decay)
	add(cfg.Augment.Mixup > 0, in.partner, in.share)
	add(cfg.JEM.Enabled() || cfg.Margin.Outliers != "", in.others, in.otherLabels)
	return all
}

// named is list's inverse.
func named(cfg Config, nodes []*Node) (in inputs[*Node]) {
	for i, to := range list(cfg, inputs[**Node]{&in.x, &in.labels, &in.rate, &in.ramp, &in.decay, &in.partner, &in.share, &in.others, &in.otherLabels}) {
		*to = nodes[i]
	}
	return in
}

// shapesOf lists the inputs' shapes for examples of the given shape.
func shapesOf(cfg Config, shape []int) []shapes.Shape {
	scalar, classes := shapes.Make(dtypes.Float32), shapes.Make(dtypes.Int32, cfg.Batch)
	examples := shapes.Make(dtypes.Float32, append([]int{cfg.Batch}, shape...)...)
	return list(cfg, inputs[shapes.Shape]{examples, classes, scalar, scalar, scalar, classes, scalar, examples, classes})
}
